import { close } from 'node:inspector';

// Loaded into each process that has a debugger port. Node would keep a process that ends until its
// debugger lets go of it, and a restart would have to kill it.
process.on('exit', close);
