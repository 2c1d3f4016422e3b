/** What the routes of each tag are about, in the order of the documentation. */
export const TAGS: Record<string, string> = {
  mailings: 'What is sent to whom, and when: create, edit, pause, resume, cancel',
  messages: 'One message per client of a mailing, with its attempts and what happens next',
  statistics: 'Counts, speed and errors of mailings',
  clients: 'The directory of those who get messages',
  tags: 'Names that group clients',
  channels: 'How messages leave: breaker, speed limit and token of each lane',
  reports: 'Daily reports, reports of finished mailings, and alerts',
  tokens: 'API keys',
};
