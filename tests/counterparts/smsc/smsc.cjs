// An SMPP 3.4 service centre for the tests, on the npm package `smpp`, which shares no code with ours.
//
// Talks with its owner in lines of JSON: reads commands from stdin, writes what happens to stdout.
// What it is told to do to a destination holds until it is told otherwise:
//   {"do": "answer", "destination": "98912…", "with": "refuse", "status": 11}   submit_sm_resp says no
//   {"do": "answer", "destination": "98912…", "with": "silence"}                none is sent, or none from
//                                                                       the part on that "submits" says
//   {"do": "answer", "destination": "98912…", "with": "hang up"}                the connection is cut
//   {"do": "answer", "destination": "98912…", "with": "receipt first"}          receipt, then the answer
//   {"do": "answer", "destination": "98912…", "with": "error", "submits": 2}    from the 2nd part on, status
// and to binds:   {"do": "binds", "with": "accept" | "refuse" | "silence" | "hang up", "status": 14}
// Receipts:       {"do": "receipts", "state": "DELIVRD" | ""}     of all messages that ask for one
// Ids:            {"do": "ids", "with": "hex" | "decimal"}        answers say 0000001F and receipts
//                 0000000031, or the other way round; else both say M0000001f
// At once:        {"do": "deliver", "pdu": {…}} {"do": "unbind"} {"do": "hang up"} {"do": "throttle", "perSecond": 5}
//                 {"do": "nothing"}     all that happened before has been said when this is done
//                 {"do": "reset"}       as at the start; all connections are cut
'use strict';

const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

// With `tls`, a folder that holds key.pem and certificate.pem, it speaks nothing but TLS.
const { systemId, password, tls } = JSON.parse(process.argv[2]);
const answers = new Map();
const bound = new Set();
const all = new Set();
const seconds = [];
let binds = { with: 'accept' };
let receipts = '';
let ids = '';
let perSecond = 0;
let count = 0;

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');

const BINDS = ['bind_transceiver', 'bind_transmitter', 'bind_receiver'];

function onBind(session, pdu) {
  say({ event: 'bind', command: pdu.command, version: pdu.interface_version, type: pdu.system_type,
    encrypted: Boolean(session.socket.encrypted) });
  if (binds.with === 'silence') return;
  if (binds.with === 'hang up') return session.destroy();
  const wrong = pdu.system_id !== systemId || pdu.password !== password;
  const status = binds.with === 'refuse' ? binds.status : wrong ? smpp.ESME_RINVPASWD : 0;
  session.send(pdu.response({ command_status: status, system_id: 'test-smsc' }));
  if (status) return session.close();
  bound.add(session);
}

function tooFast() {
  if (!perSecond) return false;
  const now = Date.now();
  while (seconds.length && seconds[0] <= now - 1000) seconds.shift();
  if (seconds.length >= perSecond) return true;
  seconds.push(now);
  return false;
}

function refusal(pdu) {
  if (!pdu.short_message && !pdu.message_payload) return smpp.ESME_RINVMSGLEN;
  if (!/^\d{5,15}$/.test(pdu.destination_addr)) return smpp.ESME_RINVDSTADR;
  return tooFast() ? smpp.ESME_RTHROTTLED : 0;
}

// The package reads SMPP's relative times against the clock; what was meant is a length.
const secondsUntil = (time) => (time ? Math.round((time - Date.now()) / 1000) : 0);

const inHex = (number) => number.toString(16).toUpperCase().padStart(8, '0');
const inDecimal = (number) => String(number).padStart(10, '0');

function idsOf(number) {
  if (ids === 'hex') return [inHex(number), inDecimal(number)];
  if (ids === 'decimal') return [inDecimal(number), inHex(number)];
  const id = 'M' + number.toString(16).padStart(8, '0');
  return [id, id];
}

function receiptOf(id, pdu, state) {
  const text = `id:${id} sub:001 dlvrd:001 submit date:2611220900 done date:2611220901 ` +
    `stat:${state} err:000 text:`;
  return {
    source_addr: pdu.destination_addr, source_addr_ton: 1, source_addr_npi: 1,
    destination_addr: pdu.source_addr, esm_class: 4, short_message: { message: text },
  };
}

function onSubmit(session, pdu) {
  const rule = answers.get(pdu.destination_addr) || {};
  rule.seen = (rule.seen || 0) + 1;
  const body = pdu.short_message || {};
  const [id, receipted] = idsOf(++count);
  const status = rule.with === 'refuse' || (rule.with === 'error' && rule.seen >= rule.submits)
    ? rule.status : refusal(pdu);
  say({
    event: 'submit', id, status, destination: pdu.destination_addr, source: pdu.source_addr,
    sourceTon: pdu.source_addr_ton, sourceNpi: pdu.source_addr_npi,
    destinationTon: pdu.dest_addr_ton, destinationNpi: pdu.dest_addr_npi,
    coding: pdu.data_coding, esmClass: pdu.esm_class, receipt: pdu.registered_delivery,
    validity: secondsUntil(pdu.validity_period), message: String(body.message),
    udh: body.udh ? Buffer.concat(body.udh).toString('hex') : '',
  });
  if (rule.with === 'silence' && rule.seen >= (rule.submits || 1)) return;
  if (rule.with === 'hang up') return session.destroy();
  if (rule.with === 'receipt first') session.deliver_sm(receiptOf(receipted, pdu, 'DELIVRD'));
  session.send(pdu.response({ command_status: status, message_id: status ? '' : id }));
  if (!status && receipts && pdu.registered_delivery & 1) {
    session.deliver_sm(receiptOf(receipted, pdu, receipts), (resp) =>
      say({ event: 'acknowledged', id, status: resp.command_status }));
  }
}

const secrets = tls
  ? { key: fs.readFileSync(`${tls}/key.pem`), cert: fs.readFileSync(`${tls}/certificate.pem`) }
  : {};

const server = smpp.createServer(secrets, (session) => {
  all.add(session);
  for (const command of BINDS) session.on(command, (pdu) => onBind(session, pdu));
  session.on('submit_sm', (pdu) => onSubmit(session, pdu));
  session.on('enquire_link', (pdu) => {
    say({ event: 'enquire_link' });
    session.send(pdu.response());
  });
  session.on('unbind', (pdu) => {
    say({ event: 'unbind' });
    session.send(pdu.response());
    session.close();
  });
  session.on('error', (error) => say({ event: 'error', message: String(error.message) }));
  session.on('close', () => {
    all.delete(session);
    if (bound.delete(session)) say({ event: 'gone' });
  });
});

const COMMANDS = {
  nothing: () => {},
  reset: () => {
    answers.clear();
    [binds, receipts, ids, perSecond] = [{ with: 'accept' }, '', '', 0];
    return Promise.all([...all].map((session) => new Promise((done) => session.destroy(done))));
  },
  answer: (command) => answers.set(command.destination, command),
  binds: (command) => { binds = command; },
  receipts: (command) => { receipts = command.state; },
  ids: (command) => { ids = command.with; },
  unbind: () => bound.forEach((session) => session.unbind()),
  throttle: (command) => { perSecond = command.perSecond; seconds.length = 0; },
  'hang up': () => all.forEach((session) => session.destroy()),
  deliver: ({ pdu }) => {
    for (const key of ['short_message', 'message_payload']) {
      if (!pdu[key]) continue;
      const { hex, udh } = pdu[key];
      if (hex !== undefined) pdu[key] = { message: Buffer.from(hex, 'hex') };
      if (udh) pdu[key].udh = Buffer.from(udh, 'hex');
    }
    const [session] = bound;
    session.deliver_sm(pdu, (resp) => say({ event: 'delivered', status: resp.command_status }));
  },
};

readline.createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const command = JSON.parse(line);
    await COMMANDS[command.do](command);
    say({ event: 'done', do: command.do });
  })
  .on('close', () => process.exit(0));

server.listen(0, '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));
