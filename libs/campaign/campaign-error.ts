/** What was asked cannot be done to this campaign; the message tells the manager why. */
export class CampaignError extends Error {
  override readonly name = 'CampaignError';
}
