import { createServer } from 'node:http';

export interface StandbyHttp {
  close(): Promise<void>;
}

/**
 * What a control that only waits answers: 503 to everything, so that a proxy before both sends nobody here, and where the
 * leader is.
 */
export function listenAsStandby(host: string, port: number, leaderUrl: string): Promise<StandbyHttp> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end('# HELP yht_leader This control leads\n# TYPE yht_leader gauge\nyht_leader 0\n');
      return;
    }
    const body =
      request.url === '/healthz'
        ? { control: 'standby', leader: leaderUrl }
        : { code: 'standby', message: `本机为备用，当前主用地址：${leaderUrl}` };
    response.writeHead(503, { 'content-type': 'application/json; charset=utf-8', 'retry-after': '5' });
    response.end(JSON.stringify(body));
  });
  server.requestTimeout = 15_000;
  server.on('upgrade', (_request, socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      resolve({
        close: () =>
          new Promise<void>((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}
