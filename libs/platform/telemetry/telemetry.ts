import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Meter } from '@opentelemetry/api';
import { createNoopMeter } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { OperationMetrics } from './operation-metrics.ts';
import { ObservedMetrics } from './observed-metrics.ts';
import { observeProcess } from './process-metrics.ts';

/** The metrics of one process; `/metrics` on the internal port shows them. */
export class Telemetry {
  /** For what is recorded as it happens: on the way of an assign once a batch, never once a request. */
  readonly meter: Pick<Meter, 'createCounter' | 'createHistogram'> = createNoopMeter();
  /** For what is looked at when somebody asks. */
  readonly observed = new ObservedMetrics();
  readonly operations: OperationMetrics;
  private readonly exporter: PrometheusExporter | undefined;
  private readonly provider: MeterProvider | undefined;

  /** `serviceName` becomes the `service_name` label of `target_info`. Switched off, it records nothing. */
  constructor(serviceName: string, isOn = true) {
    if (isOn) {
      this.exporter = new PrometheusExporter({
        preventServerStart: true,
        withoutScopeInfo: true,
        metricProducers: [this.observed],
      });
      // All is recorded by hand: wrapping the http module halves the requests a second.
      this.provider = new MeterProvider({
        resource: defaultResource().merge(resourceFromAttributes({ 'service.name': serviceName })),
        readers: [this.exporter],
      });
      this.meter = this.provider.getMeter('firstcome');
      observeProcess(this.observed);
    }
    this.operations = new OperationMetrics(this.meter);
  }

  /** Writes the metrics in the Prometheus text format. */
  writeMetrics(request: IncomingMessage, response: ServerResponse): void {
    if (this.exporter === undefined) {
      response.writeHead(404).end('METRICS is off\n');
    } else {
      this.exporter.getMetricsRequestHandler(request, response);
    }
  }

  async close(): Promise<void> {
    await this.provider?.shutdown();
  }
}
