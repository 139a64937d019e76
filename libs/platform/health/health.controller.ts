import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { HealthCheckResult } from '@nestjs/terminus';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { HealthAudience } from './health-audience.ts';
import type { Probe } from './health-probes.ts';
import { HealthProbes, probeTimeoutMs } from './health-probes.ts';

/** Probers may ask as often as they like; the stores are asked at most this often. */
const probeCacheMs = 500;

@ApiExcludeController()
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
  ready(): Promise<HealthCheckResult> {
    if (this.probes.isStopping) {
      return this.health.check([() => this.indicators.check('process').down('shutting down')]);
    }
    const all = Object.entries({ ...this.probes.required, ...this.probes.reported });
    return this.health.check(
      all.map(
        ([name, probe]) =>
          () =>
            this.check(name, probe),
      ),
    );
  }

  private async check(name: string, probe: Probe) {
    const indicator = this.indicators.check(name);
    let problem: string | undefined;
    const attempt = await indicator
      .attempt(async () => {
        problem = await probe();
        return problem === undefined ? {} : { message: problem };
      })
      .withTimeout(probeTimeoutMs)
      .cacheFor(probeCacheMs);
    const { status, ...details } = attempt[name]!;
    const message = details['message'];
    if (status === 'up' && message === undefined) {
      return attempt;
    }
    const isRequired = Object.hasOwn(this.probes.required, name);
    const reason = this.audience.name === 'internal' ? { message: message ?? 'no answer' } : {};
    return { [name]: { status: isRequired ? 'down' : 'degraded', ...reason } } as const;
  }
}
