import { url, workTwice } from '../application.js';

await workTwice(async () => (await fetch(url)).text());
