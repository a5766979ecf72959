import { createLog, type RunningApp, startApp } from '../app.ts';
import { loadConfig } from '../config/config.ts';
import { errorChain, SetupError } from '../kernel/errors.ts';
import { StoppedWhileWaiting } from '../services/leadership.ts';

/** A second Ctrl-C, or this long, ends the orderly stop. */
const stopDeadlineMs = 15_000;
/** How a service ends when another one has taken over: its manager starts it again, and it stands by. */
const lostExitCode = 3;

/**
 * Runs the service until it is told to stop.
 * @returns the exit code: 0 after an orderly stop, 1 when it could not start. When another service takes over, the
 * process ends with 3, at once: whatever it would still do is refused anyway.
 */
export async function serveCommand(environment: NodeJS.ProcessEnv, print: (line: string) => void): Promise<number> {
  let app: RunningApp;
  const config = (() => {
    try {
      return loadConfig(environment);
    } catch (error) {
      return complain(error, print);
    }
  })();
  if (config === undefined) return 1;
  const log = createLog(config.logLevel);
  // Heard from now on: one that came while the service starts, or as it says ready, must not leave a part behind.
  const stopping = stopSignal();
  const waiting = new AbortController();
  void stopping.then(() => waiting.abort());
  try {
    app = await startApp(config, log, {
      onStandby: (leaderUrl) => print(`一号通待命：主用为 ${leaderUrl}，其失效后由本机接管。按 Ctrl-C 停止。`),
      onLost: () => {
        print('另一台控制服务已接管，本进程立即退出。');
        process.exit(lostExitCode);
      },
      stop: waiting.signal,
    });
  } catch (error) {
    if (error instanceof StoppedWhileWaiting) {
      print('已停止。');
      return 0;
    }
    complain(error, print);
    return 1;
  }
  for (const line of readyLines(app)) print(line);
  const signal = await stopping;
  print(`收到 ${signal}，正在依次停止……（再按一次立即退出）`);
  const forced = setTimeout(() => process.exit(1), stopDeadlineMs);
  process.once(signal, () => process.exit(1));
  await app.close();
  clearTimeout(forced);
  print('已停止。');
  return 0;
}

/** A wrong setting is one line; anything else is our own fault and keeps its stack. */
function complain(error: unknown, print: (line: string) => void): undefined {
  if (error instanceof SetupError) print(error.message);
  else
    print(
      `Unexpected failure while starting: ${error instanceof Error ? (error.stack ?? error.message) : errorChain(error)}`,
    );
  return undefined;
}

function stopSignal(): Promise<'SIGINT' | 'SIGTERM'> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
  });
}

/** What a newcomer needs to call in: addresses, people, one sentence. */
function readyLines(app: RunningApp): string[] {
  const { host, trunkPort, agentsPort } = app.sip;
  const number = app.city.hotlines[0]?.number ?? '12345';
  const people = app.demo.map(
    (person) =>
      `  ${person.name}（${roleNames[person.role]}）  登录 ${person.login}  密码 ${person.webPassword.reveal()}` +
      (person.phonePassword === null ? '' : `  话机 ${person.extension} / ${person.phonePassword.reveal()}`),
  );
  return [
    '',
    `一号通已就绪：${app.city.name}，${app.city.hotlines.length - 1} 条热线`,
    `  网页    ${app.webUrl}`,
    `  话机    SIP ${host}:${agentsPort}（UDP/TCP）   中继 SIP ${host}:${trunkPort}`,
    ...(people.length === 0 ? [] : ['  演示人员（密码保存在数据目录，仅本人可读）：', ...people]),
    people.length === 0
      ? `  来电入口：sip:${number}@${host}:${trunkPort}`
      : `  试一试：用 1001 的话机账号注册软电话，网页登录 1001 并点“就绪”，再用任意 SIP 电话拨打 sip:${number}@${host}:${trunkPort}`,
    '  按 Ctrl-C 停止。',
  ];
}

const roleNames = { agent: '话务员', supervisor: '班长', subcentre: '分中心' } as const;
