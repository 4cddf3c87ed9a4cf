import mysql from 'mysql2/promise';
import { url, workTwice } from '../application.js';

const pool = mysql.createPool({ uri: url.href, connectionLimit: 1 });
await workTwice(() => pool.query('SELECT 1'));
