import mysql from 'mysql2/promise';
import { harden } from '../../../../src/drivers/mysql2.js';
import { url, workTwice } from '../application.js';

const pool = harden(mysql.createPool({ uri: url.href, connectionLimit: 1 }));
await workTwice(() => pool.query('SELECT 1'));
