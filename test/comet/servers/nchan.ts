import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { SeenRequest } from '../../support/upstream.ts';
import { startUpstream } from '../../support/upstream.ts';
import { startNginx } from './nginx.ts';
import type { CometOrigin } from './origin.ts';
import { distinct, ORIGIN_HOST, ORIGIN_PATH, ORIGIN_SET_COOKIE } from './origin.ts';

/**
 * Start nginx with nchan, and behind it, as usual, an application: nchan asks it whether a client
 * may come, telling in which way the client comes, and gives it what clients say.
 */
export async function openNchan(t: TestContext): Promise<CometOrigin> {
  const requests: SeenRequest[] = [];
  const told: string[] = [];
  const application = await startUpstream(t, (req, res) => {
    // nchan adds the client's query.
    if (req.url?.split('?')[0] === '/may') {
      requests.push(originalOf(req));
      res.end();
    } else {
      // Who is gone before the end has said nothing.
      text(req).then(
        (said) => told.push(said),
        () => undefined,
      );
      res.writeHead(304).end(); // publish it as it is
    }
  });
  const port = await startNginx(t, locations(application.url));
  return {
    origin: `http://${ORIGIN_HOST}:${port}`,
    requests,
    told,
    ways: () => distinct(requests.map(({ headers }) => String(headers['x-way']))),
    push: async (message) => {
      const answer = await fetch(`http://127.0.0.1:${port}/push`, {
        method: 'POST',
        body: message,
      });
      assert.ok(answer.ok, `nginx: ${answer.status}`);
      await answer.arrayBuffer();
    },
  };
}

/** A room in which clients are told what is pushed, and the application what they say. */
function locations(application: string): string {
  const asked = 'nchan_authorize_request /may; nchan_publisher_upstream_request /told;';
  return `
    location = /may {
      internal;
      proxy_pass ${application}/may;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Way "$nchan_subscriber_type$nchan_publisher_type";
      proxy_set_header X-Method $request_method;
      proxy_set_header X-Target $request_uri;
    }
    location = /told { internal; proxy_pass ${application}/told; }
    location = /push { nchan_publisher; nchan_channel_id down; }
    location = ${ORIGIN_PATH}login { add_header Set-Cookie "${ORIGIN_SET_COOKIE}"; return 204; }
    location = ${ORIGIN_PATH}say { nchan_publisher; nchan_channel_id up; ${asked} }
    location = ${ORIGIN_PATH}room {
      nchan_pubsub;
      nchan_publisher_channel_id up;
      nchan_subscriber_channel_id down;
      ${asked}
    }
  `;
}

/** The client's request, as nginx tells its application about it. */
function originalOf({ headers, rawHeaders }: IncomingMessage): SeenRequest {
  const told = (name: string) => String(headers[name] ?? '');
  return { method: told('x-method'), url: told('x-target'), rawHeaders: [...rawHeaders], headers };
}
