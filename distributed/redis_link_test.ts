import assert from "node:assert";
import { InputError } from "../data/input_error.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { checkRedisAddress, connectRedis } from "./redis_link.ts";
import { createRedisStore } from "./redis_store.ts";
import { freePort, needsRedis, RedisServer } from "./testdata/redis_server.ts";
import { someTasks, startWorker, until, withRun } from "./testdata/sides.ts";

Deno.test("addresses are checked, and errors show no password", () => {
  const good = ["redis://h", "rediss://h:1/2", "redis://:p@h", "rediss://u:p@[::1]:6379/"];
  for (const address of good) assert.ok(checkRedisAddress(address));
  for (const bad of ["h:6379", "http://u:secret@h", "redis://", "redis://u:secret@h/x", ""]) {
    assert.throws(() => checkRedisAddress(bad), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /use redis:\/\/host:6379/);
      return !error.message.includes("secret");
    });
  }
});

Deno.test("a server that is not there is named", async () => {
  await assert.rejects(connectRedis("redis://u:secret@127.0.0.1:1"), (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(
      error.message,
      "redis://127.0.0.1:1: cannot be reached (ECONNREFUSED); start redis-server there, or correct " +
        "the address",
    );
    return true;
  });
});

Deno.test("passwords open, and are never shown", needsRedis, async () => {
  await using server = new RedisServer("--requirepass", "top secret/1");
  await server.start();
  const host = server.address.slice("redis://".length);
  const right = await connectRedis(`redis://:top%20secret%2F1@${host}`);
  assert.equal(right.address, `redis://${host}`);
  right.close();
  (await connectRedis(server.address, { password: "top secret/1" })).close();
  for (const wrong of [server.address, `redis://:false-secret@${host}`]) {
    await assert.rejects(connectRedis(wrong), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /refuses the password; give it as KANPRESS_REDIS_PASSWORD/);
      return !error.message.includes("false-secret");
    });
  }
});

Deno.test(
  "TLS is spoken, and a certificate that nobody vouches for is refused",
  needsRedis,
  async () => {
    using folder = new TemporaryFolder();
    const key = `${folder.path}/key.pem`, certificate = `${folder.path}/certificate.pem`;
    const made = await new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", key],
        ...[
          "-out",
          certificate,
          "-subj",
          "/CN=localhost",
          "-addext",
          "subjectAltName=DNS:localhost",
        ],
      ],
      stderr: "null",
    }).output();
    assert.ok(made.success);
    const port = freePort();
    await using tls = new RedisServer(
      ...["--tls-port", `${port}`, "--tls-cert-file", certificate, "--tls-key-file", key],
      ...["--tls-ca-cert-file", certificate, "--tls-auth-clients", "no"],
    );
    await tls.start();
    const address = `rediss://localhost:${port}`;
    await assert.rejects(connectRedis(address), /localhost:\d+: its certificate is not trusted/);
    const link = await connectRedis(address, { certificates: certificate });
    assert.equal(await link.client.ping(), "PONG");
    link.close();
    await assert.rejects(connectRedis(address, { certificates: "nowhere.pem" }), /nowhere\.pem/);
  },
);

Deno.test("a server that answers nothing is told of, and taken up again", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  const heard: string[] = [];
  const onMessage = (line: string) => heard.push(line);
  const link = await connectRedis(server.address, { betweenAsking: 100, onMessage });
  const store = createRedisStore(link);
  await store.put("a", Uint8Array.of(1));
  // One that is idle is left as it is.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.deepEqual(heard, []);
  server.freeze(true);
  const answers = [store.get("a"), link.client.ping()];
  await until(() => heard.length === 1);
  server.freeze(false);
  await until(() => heard.length === 2);
  assert.match(heard.join("\n"), /connection was lost; it is tried again\n.* is there again$/);
  assert.deepEqual(await Promise.all(answers), [Uint8Array.of(1), "PONG"]);
  link.close();
});

Deno.test("a server whose disk is full says so, and is taken up again", needsRedis, async () => {
  await using server = new RedisServer("--save", "1", "1");
  await server.start();
  await withRun(server.address, async ({ tasks: { run }, store }) => {
    // Where it is to save is no more.
    await Deno.remove(server.folder.path, { recursive: true });
    const isFull = (error: unknown) =>
      error instanceof InputError && /cannot save what it has.*disk is full/.test(error.message);
    await until(() => store.put("a", Uint8Array.of(1)).then(() => false, isFull));
    await assert.rejects(run("quantize", someTasks(1)), isFull);
    await assert.rejects(withRun(server.address, () => Promise.resolve()), isFull);
    const { client, close } = await connectRedis(server.address);
    await client.config("SET", "save", "");
    close();
    await using helper = await startWorker(server.address);
    assert.equal((await run("quantize", someTasks(1))).length, 2);
    assert.equal(helper.done(), 1);
  });
});

Deno.test("a server that drops entries by itself, or is full, is refused", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  const link = await connectRedis(server.address);
  const store = createRedisStore(link);
  const bytes = new Uint8Array(new SharedArrayBuffer(3_000_000)).fill(3);
  await store.put("a", bytes);
  assert.deepEqual(await store.get("a"), new Uint8Array(3_000_000).fill(3));
  assert.deepEqual([await store.has("a"), await store.has("b")], [true, false]);
  assert.ok(await link.client.ttl("kanpress:store:a") > 3000);
  for (const name of ["../a", "", "a:b"]) await assert.rejects(store.get(name), InputError);
  await assert.rejects(store.put("b", new Uint8Array(2 ** 28 + 1)), /too large for Redis.*--store/);
  await link.client.config("SET", "maxmemory", "2mb");
  await assert.rejects(store.put("b", bytes), /has no memory left; .*--store/);
  await store.remove("a");
  assert.equal(await store.get("a"), undefined);
  await link.client.config("SET", "maxmemory-policy", "allkeys-lru");
  await assert.rejects(connectRedis(server.address), /may drop tasks.*allkeys-lru.*noeviction/);
  link.close();
});
