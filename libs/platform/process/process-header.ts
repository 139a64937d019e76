/**
 * A header of each answer on the internal port: the pid of the process that answers. Whoever started a
 * process knows by it that nobody else answers, who was on that port before.
 */
export const processHeader = 'firstcome-process';
