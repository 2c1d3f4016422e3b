import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FaultProxy } from './fault-proxy.js';

describe('the fault proxy', () => {
  let echo: Server;
  let proxy: FaultProxy;
  const served: Socket[] = [];
  const clients: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => {
      served.push(socket);
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await FaultProxy.start((echo.address() as AddressInfo).port);
  });

  afterEach(async () => {
    for (const socket of [...clients.splice(0), ...served.splice(0)]) socket.destroy();
    await proxy.close();
    echo.close();
  });

  async function open(): Promise<Socket> {
    const client = connect(proxy.port, '127.0.0.1');
    clients.push(client);
    client.on('error', () => undefined);
    await once(client, 'connect');
    return client;
  }

  async function answerTo(client: Socket, text: string): Promise<string> {
    const answer = once(client, 'data');
    client.write(text);
    return String((await answer)[0]);
  }

  /** Nothing comes, although a connection beside it works. */
  async function staysSilent(client: Socket): Promise<boolean> {
    let heard = false;
    client.on('data', () => (heard = true));
    client.write('anybody there?');
    for (let turn = 0; turn < 3; turn++) await answerTo(await open(), 'beside');
    return !heard;
  }

  it('passes everything on, and both ends of a connection', async () => {
    const client = await open();
    expect(await answerTo(client, 'hello')).toBe('hello');
    expect(proxy.connections).toBe(1);
    const closed = once(client, 'close');
    client.end();
    await closed;
  });

  it('passes on more than fits into one buffer', async () => {
    const client = await open();
    const sent = 'x'.repeat(5_000_000);
    let got = 0;
    const all = new Promise<void>((resolve) =>
      client.on('data', (chunk: Buffer) => {
        got += chunk.length;
        if (got === sent.length) resolve();
      }),
    );
    client.write(sent);
    await all;
  });

  it('cuts with a reset, and takes the next connection', async () => {
    const client = await open();
    await answerTo(client, 'hello');
    const error = once(client, 'error');
    expect(proxy.cut()).toBe(1);
    expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(await answerTo(await open(), 'again')).toBe('again');
  });

  it('refuses connections until it is healed', async () => {
    await proxy.refuse();
    const refused = connect(proxy.port, '127.0.0.1');
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.heal();
    expect(await answerTo(await open(), 'again')).toBe('again');
  });

  it('freezes connections for good: neither side learns that the other has left', async () => {
    const client = await open();
    await answerTo(client, 'hello');
    proxy.freeze();
    expect(await staysSilent(client)).toBe(true);
    await proxy.heal();
    expect(await staysSilent(client)).toBe(true);
    client.destroy();
    await answerTo(await open(), 'beside');
    expect(served[0]?.destroyed).toBe(false);
  });

  it('takes connections and never answers while it swallows', async () => {
    proxy.swallow();
    const client = await open();
    let heard = false;
    client.on('data', () => (heard = true));
    client.write('hello');
    await proxy.heal();
    await answerTo(await open(), 'beside');
    expect(heard).toBe(false);
  });

  it('loses one direction only', async () => {
    const client = await open();
    await answerTo(client, 'hello');
    const [server] = served;
    const arrived = server && once(server, 'data');
    proxy.drop('down');
    let heard = false;
    client.on('data', () => (heard = true));
    client.write('one way');
    expect(String((await arrived)?.[0])).toBe('one way');
    await proxy.heal();
    await answerTo(await open(), 'beside');
    expect(heard).toBe(false);
  });

  it('holds data back for as long as set, in order', async () => {
    const client = await open();
    await answerTo(client, 'hello');
    proxy.delay(100);
    const startedAt = performance.now();
    let got = '';
    const all = new Promise<void>((resolve) =>
      client.on('data', (chunk: Buffer) => {
        got += String(chunk);
        if (got === 'one two') resolve();
      }),
    );
    client.write('one ');
    client.write('two');
    await all;
    expect(performance.now() - startedAt).toBeGreaterThan(190);
  });
});
