import { Controller, Get } from '@nestjs/common';
import type { HealthCheckResult } from '@nestjs/terminus';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { HealthAudience } from './health-audience.ts';
import type { ProbeAnswer } from './health-probes.ts';
import { HealthProbes } from './health-probes.ts';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly probes: HealthProbes,
    private readonly audience: HealthAudience,
  ) {}

  /** 200 while the process lives, whatever its stores do: a restart would not bring them back. */
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 when requests may be sent here, else 503; the internal port has the reasons in words. */
  @Get(['', 'ready'])
  async ready(): Promise<HealthCheckResult> {
    if (this.probes.isStopping) {
      return this.health.check([() => this.indicators.check('process').down('shutting down')]);
    }
    const answers = await this.probes.ask();
    return this.health.check(answers.map((answer) => () => this.indicate(answer)));
  }

  private indicate({ name, isRequired, problem }: ProbeAnswer) {
    if (problem === undefined) {
      return this.indicators.check(name).up();
    }
    const reason = this.audience.name === 'internal' ? { message: problem } : {};
    return { [name]: { status: isRequired ? 'down' : 'degraded', ...reason } } as const;
  }
}
