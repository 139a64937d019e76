import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Meter } from '@opentelemetry/api';
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { NodeSDK } from '@opentelemetry/sdk-node';

/** The metrics of one process; `/metrics` on the internal port shows them. */
export class Telemetry {
  readonly meter: Meter;
  private readonly exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
  });
  private readonly sdk: NodeSDK;

  /** `serviceName` becomes the `service_name` label of `target_info`. */
  constructor(serviceName: string) {
    this.sdk = new NodeSDK({
      serviceName,
      metricReaders: [this.exporter],
      // Metrics are recorded by hand: wrapping the http module halves the requests a second.
      instrumentations: [],
      spanProcessors: [],
      logRecordProcessors: [],
      autoDetectResources: false,
    });
    this.sdk.start();
    this.meter = metrics.getMeter('firstcome');
    observeProcess(this.meter);
  }

  /** Writes the metrics in the Prometheus text format. */
  writeMetrics(request: IncomingMessage, response: ServerResponse): void {
    this.exporter.getMetricsRequestHandler(request, response);
  }

  async close(): Promise<void> {
    await this.sdk.shutdown();
  }
}

function observeProcess(meter: Meter): void {
  meter
    .createObservableGauge('process_resident_memory_bytes', { description: 'Resident memory.' })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  meter
    .createObservableCounter('process_cpu_seconds_total', { description: 'CPU time used.' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1e6);
    });
}
