import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { environmentSchema } from '../../libs/platform/config/config.ts';

interface Service {
  image?: string;
  build?: { context: string; dockerfile: string };
  pull_policy?: string;
  command?: string;
  profiles?: string[];
  restart?: string;
  init?: boolean;
  environment?: Record<string, string>;
  ports?: { host_ip?: string; published: string; target: number }[];
  volumes?: string[];
  healthcheck?: { disable?: boolean; test?: string[] };
  depends_on?: Record<string, { condition: string }>;
  stop_grace_period?: string;
  deploy?: { resources?: { limits?: { memory?: string } } };
}

export interface ComposeFile {
  services: Record<string, Service>;
  volumes?: Record<string, unknown>;
}

/** The image of our own processes; every other service is one we only configure. */
const ownImage = 'firstcome:local';
const root = join(import.meta.dirname, '../..');
const servers = ['mysql', 'kafka', 'gate-redis', 'jobs-redis'];

/** Reads a compose file as Compose does: YAML with merge keys, then `${NAME:-default}` and `$$`. */
export function parseCompose(text: string, environment: Record<string, string>): ComposeFile {
  const interpolate = (value: string) =>
    value.replaceAll(/\$(?:\$|\{(\w+):-([^}]*)\}|.?)/g, (whole, name?: string, preset?: string) => {
      if (whole === '$$') {
        return '$';
      }
      if (name === undefined) {
        throw new Error(`Only \${NAME:-default} and $$ are understood, not: ${value}`);
      }
      return environment[name] || (preset ?? '');
    });
  const revive = (_key: unknown, value: unknown) =>
    typeof value === 'string' ? interpolate(value) : value;
  return parse(text, revive, { merge: true }) as ComposeFile;
}

/** What is wrong with the file beyond its syntax, a line each; nothing when it fits together. */
export function composeProblems(file: ComposeFile): string[] {
  const perService = Object.entries(file.services).flatMap(([name, service]) =>
    [
      ...dependencyProblems(file, service),
      ...lifeProblems(file, name, service),
      ...settingProblems(file, service),
      ...portProblems(service),
      ...volumeProblems(file, service),
      ...redisProblems(service),
    ].map((problem) => `${name}: ${problem}`),
  );
  return [...perService, ...wholeFileProblems(file), ...watchProblems(file)];
}

function dependencyProblems({ services }: ComposeFile, { depends_on }: Service): string[] {
  return Object.entries(depends_on ?? {}).flatMap(([name, { condition }]) => {
    const awaited = services[name];
    if (awaited === undefined) {
      return [`depends on ${name}, which does not exist`];
    }
    if (condition === 'service_healthy') {
      return hasHealthcheck(awaited) ? [] : [`waits for ${name} to be healthy: it has no check`];
    }
    if (condition === 'service_completed_successfully') {
      return isOneShot(awaited) ? [] : [`waits for the end of ${name}, which never ends`];
    }
    return [`does not wait until ${name} can be used (${condition})`];
  });
}

function lifeProblems({ services }: ComposeFile, name: string, service: Service): string[] {
  const problems = [];
  if (service.init !== true) {
    problems.push('has no init');
  }
  if (service.deploy?.resources?.limits?.memory === undefined) {
    problems.push('has no memory limit');
  }
  if (service.stop_grace_period === undefined) {
    problems.push('has no stop_grace_period');
  }
  if (isOneShot(service)) {
    // `up --wait` takes the exit of a service for a failure unless another one waits for it.
    const awaited = Object.values(services).some(
      ({ depends_on }) => depends_on?.[name]?.condition === 'service_completed_successfully',
    );
    return awaited ? problems : [...problems, 'is a one-shot that nobody waits for'];
  }
  if (service.restart !== 'unless-stopped') {
    problems.push(`is neither restarted nor a one-shot (restart: ${service.restart ?? 'none'})`);
  }
  // Nobody waits for what only watches.
  const needsCheck = !(isWatcher(service) && service.healthcheck?.disable === true);
  return hasHealthcheck(service) || !needsCheck ? problems : [...problems, 'has no health check'];
}

function settingProblems(file: ComposeFile, service: Service): string[] {
  if (service.image !== ownImage) {
    return [];
  }
  const environment = service.environment ?? {};
  const unknown = Object.keys(environment)
    .filter((name) => !(name in environmentSchema.shape))
    .map((name) => `${name} is not one of our settings`);
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    return [...unknown, ...wrong];
  }
  const { GATE_REDIS_URL, JOBS_REDIS_URL, KAFKA_BROKERS, MYSQL_URL } = parsed.data;
  const gate = new URL(GATE_REDIS_URL).host;
  const jobs = new URL(JOBS_REDIS_URL).host;
  const mysql = new URL(MYSQL_URL);
  const { MYSQL_DATABASE, MYSQL_ROOT_PASSWORD } = file.services['mysql']?.environment ?? {};
  return [
    ...unknown,
    ...(gate === 'gate-redis:6379' ? [] : [`the gate is at ${gate}`]),
    ...(jobs === 'jobs-redis:6379' ? [] : [`the jobs are at ${jobs}`]),
    ...(gate === jobs ? ['the gate and the jobs are in the same Redis'] : []),
    ...KAFKA_BROKERS.filter((broker) => !advertisedByKafka(file).includes(broker)).map(
      (broker) => `Kafka does not advertise ${broker}`,
    ),
    ...(mysql.host === 'mysql:3306' ? [] : [`MySQL is at ${mysql.host}`]),
    ...(mysql.pathname === `/${MYSQL_DATABASE}` ? [] : [`no database ${mysql.pathname}`]),
    ...(decodeURIComponent(mysql.password) === MYSQL_ROOT_PASSWORD
      ? []
      : ['the password is not the one MySQL has']),
    ...receiverProblems(file, new URL(parsed.data.OTEL_EXPORTER_OTLP_ENDPOINT)),
  ];
}

/** Spans go to a service that takes them. */
function receiverProblems({ services }: ComposeFile, { hostname, port, host }: URL): string[] {
  const takes = services[hostname]?.ports?.some(({ target }) => String(target) === port);
  return takes === true ? [] : [`spans go to ${host}, where nobody takes them`];
}

function portProblems(service: Service): string[] {
  const { API_PORT, INTERNAL_PORT } = service.environment ?? {};
  return (service.ports ?? []).flatMap(({ host_ip, published, target }) => [
    ...(host_ip === '127.0.0.1' ? [] : [`port ${published} is not on loopback only`]),
    ...(service.image === ownImage && String(target) === INTERNAL_PORT
      ? ['publishes its internal port']
      : []),
    ...(service.image === ownImage && String(target) !== API_PORT
      ? [`publishes ${target}, which is not the public API`]
      : []),
  ]);
}

function volumeProblems({ volumes }: ComposeFile, service: Service): string[] {
  return (
    (service.volumes ?? [])
      .map((mount) => mount.slice(0, mount.indexOf(':')))
      // What is under / belongs to the machine.
      .filter((source) => !source.startsWith('/'))
      .flatMap((source) => {
        if (source.startsWith('./')) {
          return existsSync(join(root, source)) ? [] : [`${source} is not there`];
        }
        return source in (volumes ?? {}) ? [] : [`volume ${source} is not declared`];
      })
  );
}

/** Every job of Prometheus asks services that there are, which run when it does. */
function watchProblems({ services }: ComposeFile): string[] {
  const text = readFileSync(join(root, 'infra', 'prometheus', 'prometheus.yml'), 'utf8');
  const asked = [...text.matchAll(/names: \[([\w-]+)\]|'([\w-]+):\d+'/g)].map(
    (match) => match[1] ?? match[2]!,
  );
  const watched = Object.entries(services).filter(([, service]) => isWatcher(service));
  return [
    ...asked
      .filter((name) => services[name] === undefined)
      .map((name) => `Prometheus asks ${name}, which does not exist`),
    ...watched
      .filter(([name]) => name.endsWith('-exporter') && !asked.includes(name))
      .map(([name]) => `nobody asks ${name}`),
    ...Object.entries(services)
      .filter(([, service]) => !isWatcher(service))
      .flatMap(([name, { depends_on }]) =>
        Object.keys(depends_on ?? {})
          .filter((other) => services[other] !== undefined && isWatcher(services[other]))
          .map((other) => `${name} waits for ${other}, which only watches`),
      ),
  ];
}

function isWatcher({ profiles }: Service): boolean {
  return profiles?.includes('observe') === true;
}

function redisProblems({ image, command }: Service): string[] {
  return image?.startsWith('redis:')
    ? ['--appendonly yes', '--maxmemory ', '--maxmemory-policy noeviction']
        .filter((option) => !command?.includes(option))
        .map((option) => `runs without ${option}`)
    : [];
}

function wholeFileProblems(file: ComposeFile): string[] {
  const services = Object.entries(file.services);
  const published = services.flatMap(([, { ports }]) =>
    (ports ?? []).map((port) => port.published),
  );
  const builders = services.filter(([, { image, build }]) => image === ownImage && build);
  const mounts = services.flatMap(([, { volumes }]) => volumes ?? []);
  const kafka = file.services['kafka'];
  const fromHost = `127.0.0.1:${kafka?.ports?.[0]?.published}`;
  return [
    ...servers
      .filter((name) => file.services[name] === undefined || file.services[name].depends_on)
      .map((name) => `${name} must start alone: npm start asks for the servers only`),
    ...(new Set(published).size === published.length ? [] : ['two services publish one port']),
    ...(builders.length === 1 && builders[0]?.[1].pull_policy === 'build'
      ? []
      : ['exactly one service builds our image, on every up']),
    ...Object.keys(file.volumes ?? {})
      .filter((volume) => !mounts.some((mount) => mount.startsWith(`${volume}:`)))
      .map((volume) => `volume ${volume} keeps nothing`),
    ...(advertisedByKafka(file).includes(fromHost)
      ? []
      : [`Kafka does not advertise ${fromHost}, so a client on the host is sent elsewhere`]),
    ...(kafka?.volumes?.some((mount) => mount.endsWith(`:${kafka.environment?.['KAFKA_LOG_DIRS']}`))
      ? []
      : ['Kafka writes where no volume is']),
  ];
}

function advertisedByKafka(file: ComposeFile): string[] {
  const listeners = file.services['kafka']?.environment?.['KAFKA_ADVERTISED_LISTENERS'] ?? '';
  return listeners.split(',').map((listener) => listener.slice(listener.indexOf('//') + 2));
}

function isOneShot({ restart }: Service): boolean {
  return restart === 'no';
}

function hasHealthcheck({ healthcheck }: Service): boolean {
  return healthcheck?.test !== undefined && healthcheck.disable !== true;
}
