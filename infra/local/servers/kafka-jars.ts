import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './install.ts';
import type { Program } from './install.ts';
import { localDir } from '../processes/paths.ts';
import { runOrThrow } from '../processes/process.ts';
import type { Report } from '../terminal/progress.ts';

export const kafkaVersion = '4.1.1';

const maven: Program = { binaries: ['mvn'], apt: ['maven'], brew: 'maven' };
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** Where Kafka's jars are: shared by all instances, or by all checkouts with FIRSTCOME_KAFKA_HOME. */
export function kafkaHome(): string {
  return process.env['FIRSTCOME_KAFKA_HOME'] || join(localDir, `kafka-${kafkaVersion}`);
}

/** Maven, as long as the jars are not here. */
export function programsForKafkaJars(): Program[] {
  return existsSync(kafkaHome()) ? [] : [maven];
}

/** Fetches Kafka once: 43 MB. Put in place by a rename, so that it is there whole or not at all. */
export async function ensureKafkaJars(report: Report): Promise<void> {
  const home = kafkaHome();
  if (existsSync(home)) {
    return;
  }
  const aside = `${home}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  const command = (await findProgram(maven)) ?? 'mvn';
  const pom = join(import.meta.dirname, 'kafka', 'pom.xml');
  await report.step(`Kafka ${kafkaVersion} from Maven`, () =>
    runOrThrow('mvn', command, [
      '-q',
      '-B',
      '-f',
      pom,
      copyDependencies,
      '-DincludeScope=runtime',
      `-DoutputDirectory=${join(aside, 'libs')}`,
      `-Dkafka.version=${kafkaVersion}`,
    ]),
  );
  try {
    renameSync(aside, home);
  } catch (error) {
    // Another instance was faster.
    rmSync(aside, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
}
