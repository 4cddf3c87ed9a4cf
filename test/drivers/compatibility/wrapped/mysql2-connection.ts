import mysql from 'mysql2/promise';
import { supervise } from '../../../../src/drivers/mysql2.js';
import { url, workTwice } from '../application.js';

const session = supervise({ open: () => mysql.createConnection(url.href) });
await workTwice(() => session.run(connection => connection.query('SELECT 1')));
