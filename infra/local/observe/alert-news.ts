/** An alert as Prometheus has it now. */
export interface Alert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: 'pending' | 'firing';
}

const answerTimeoutMs = 3_000;

/** What fires now, by Prometheus. */
export async function firingAlerts(prometheusUrl: string): Promise<Alert[]> {
  const answer = await fetch(`${prometheusUrl}/api/v1/alerts`, {
    signal: AbortSignal.timeout(answerTimeoutMs),
  });
  const { data } = (await answer.json()) as { data: { alerts: Alert[] } };
  return data.alerts.filter(({ state }) => state === 'firing');
}

/** Says a line for each alert that begins to fire, and for each that ends. */
export class AlertNews {
  private known = new Map<string, Alert>();

  constructor(private readonly say: (line: string) => void) {}

  note(firing: Alert[]): void {
    const now = new Map(firing.map((alert) => [keyOf(alert), alert]));
    for (const [key, alert] of now) {
      if (!this.known.has(key)) this.say(`FIRES  ${describe(alert)}`);
    }
    for (const [key, alert] of this.known) {
      if (!now.has(key)) this.say(`over   ${describe(alert)}`);
    }
    this.known = now;
  }
}

function describe({ labels, annotations }: Alert): string {
  return `${labels['severity']}  ${labels['alertname']}: ${annotations['summary']}`;
}

/** Prometheus gives labels in the order of their names. */
function keyOf({ labels }: Alert): string {
  return JSON.stringify(labels);
}
