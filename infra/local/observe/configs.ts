import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { rootDir } from '../processes/paths.ts';

/** Where alerts go, besides the screen. What is secret is in files. */
export interface Receivers {
  webhookUrl?: string | undefined;
  /** With the bearer token of the webhook. */
  webhookTokenFile?: string | undefined;
  /** With the URL of a Slack incoming webhook. */
  slackUrlFile?: string | undefined;
}

export const prometheusDir = join(rootDir, 'infra', 'prometheus');
export const alertmanagerFile = join(rootDir, 'infra', 'alertmanager', 'alertmanager.yml');

interface PrometheusConfig {
  rule_files: string[];
  alerting: unknown;
  scrape_configs: { job_name: string; dns_sd_configs?: unknown; static_configs?: unknown }[];
}

interface Receiver {
  name: string;
  slack_configs: { api_url_file: string }[];
  webhook_configs: { url: string; http_config: { authorization?: { credentials_file: string } } }[];
}

/**
 * infra/prometheus/prometheus.yml for this machine: the same jobs, whose targets are in files that
 * Prometheus reads again when they change.
 */
export function localPrometheusConfig(alertmanagerAddress: string): string {
  const config = read(join(prometheusDir, 'prometheus.yml')) as PrometheusConfig;
  return stringify({
    ...config,
    rule_files: config.rule_files.map((pattern) => join(prometheusDir, pattern)),
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanagerAddress] }] }] },
    scrape_configs: config.scrape_configs.map((job) => ({
      ...job,
      dns_sd_configs: [],
      static_configs: [],
      file_sd_configs: [{ files: [targetsFile(job.job_name)], refresh_interval: '2s' }],
    })),
  });
}

/** Beside the configuration. */
export function targetsFile(job: string): string {
  return `targets/${job}.json`;
}

export function jobNames(): string[] {
  const { scrape_configs } = read(join(prometheusDir, 'prometheus.yml')) as PrometheusConfig;
  return scrape_configs.map(({ job_name }) => job_name);
}

/** infra/alertmanager/alertmanager.yml with the receivers that were named, and no others. */
export function localAlertmanagerConfig(receivers: Receivers): string {
  const config = read(alertmanagerFile) as { receivers: Receiver[] };
  return stringify(
    { ...config, receivers: config.receivers.map((each) => withOnly(receivers, each)) },
    { aliasDuplicateObjects: false },
  );
}

function withOnly(
  { webhookUrl, webhookTokenFile, slackUrlFile }: Receivers,
  { name, slack_configs, webhook_configs }: Receiver,
): Partial<Receiver> {
  const token =
    webhookTokenFile === undefined
      ? { http_config: {} }
      : { http_config: { authorization: { credentials_file: webhookTokenFile } } };
  return {
    name,
    ...(slackUrlFile === undefined
      ? {}
      : { slack_configs: slack_configs.map((each) => ({ ...each, api_url_file: slackUrlFile })) }),
    ...(webhookUrl === undefined
      ? {}
      : {
          webhook_configs: webhook_configs.map((each) => ({ ...each, url: webhookUrl, ...token })),
        }),
  };
}

/** Of MySQL, the one that runs with these words on its command line, where they are given. */
export function processExporterConfig(commandLine?: string): string {
  const config = read(join(prometheusDir, 'process-exporter.yml')) as {
    process_names: { name: string; comm: string[] }[];
  };
  const also =
    commandLine === undefined
      ? {}
      : { cmdline: [commandLine.replaceAll(/[^\w/-]/g, String.raw`\$&`)] };
  return stringify({ process_names: config.process_names.map((each) => ({ ...each, ...also })) });
}

function read(file: string): unknown {
  return parse(readFileSync(file, 'utf8'), { merge: true });
}
