import mysql from 'mysql2/promise';
import { url, workTwice } from '../application.js';

const connection = await mysql.createConnection(url.href);
await workTwice(() => connection.query('SELECT 1'));
