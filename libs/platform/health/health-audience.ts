/** Who is told how a process is. */
export class HealthAudience {
  constructor(readonly name: 'public' | 'internal') {}
}
