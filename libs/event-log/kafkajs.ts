/**
 * kafkajs with everything in it that is replaced (ADR 0007). TRAP: whoever imports the package itself
 * may have it loaded before its mends, and modules that have been loaded keep what they have.
 */
import './kafkajs-mends/mends.ts';
import kafkajs from 'kafkajs';

export { default, AssignerProtocol, CompressionTypes, Kafka, logLevel } from 'kafkajs';
/** Node does not find them among the names of a CommonJS module. */
export const { CompressionCodecs, ConfigResourceTypes } = kafkajs;
