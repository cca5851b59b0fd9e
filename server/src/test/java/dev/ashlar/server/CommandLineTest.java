package dev.ashlar.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.http.Gateway;
import dev.ashlar.http.GatewayOptions;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import dev.ashlar.store.memory.MemoryBlockStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands, against a server on an ephemeral port and on the directory of a stopped node. */
class CommandLineTest {

  @TempDir Path directory;

  private final MemoryBlockStore store = MemoryBlockStore.open();
  private final Vertx vertx = Gateway.vertx(new VertxOptions(), GatewayOptions.Limits.DEFAULT);
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @SuppressWarnings("NullAway.Init")
  private Gateway gateway;

  @BeforeEach
  void start() {
    gateway =
        await(
            Gateway.start(
                vertx, store, GatewayOptions.DEFAULT.at("127.0.0.1", 0), "ashlar", List::of));
  }

  @AfterEach
  void stop() {
    await(gateway.stop(Duration.ofSeconds(5)));
    await(vertx.close());
    store.close();
  }

  @Test
  void aFileIsPutFoundListedAndRemoved() throws IOException {
    Path file = Files.write(directory.resolve("file"), new byte[] {1, 2, 3});
    String cid = Block.copyOf(new byte[] {1, 2, 3}).cid().toString();

    assertThat(remote("put", file.toString())).isZero();
    assertThat(out.toString().strip()).isEqualTo(cid);
    assertThat(remote("put", "--json", file.toString())).isZero();
    assertThat(new JsonObject(out.toString()).getBoolean("new")).isFalse();
    assertThat(remote("get", "-o", directory.resolve("copy").toString(), cid)).isZero();
    assertThat(directory.resolve("copy")).hasBinaryContent(new byte[] {1, 2, 3});
    assertThat(remote("has", cid)).isZero();
    assertThat(remote("ls")).isZero();
    assertThat(out.toString().strip()).isEqualTo(cid + " 3");
    assertThat(remote("rm", cid)).isZero();
    assertThat(remote("rm", cid)).isEqualTo(Main.EXIT_ABSENT);
    assertThat(remote("has", cid)).isEqualTo(Main.EXIT_ABSENT);
    assertThat(remote("get", cid)).isEqualTo(Main.EXIT_ABSENT);
    assertThat(remote("stat", "--json")).isZero();
    assertThat(new JsonObject(out.toString()).getLong("blocks")).isZero();
  }

  @Test
  void aFileLargerThanABlockIsRefusedWithTheWayOut() throws IOException {
    Path file = Files.write(directory.resolve("large"), new byte[Block.BYTES_MAX_DEFAULT + 1]);

    assertThat(remote("put", file.toString())).isEqualTo(Main.EXIT_FAILED);
    assertThat(err.toString()).contains("ashlar import");
  }

  @Test
  void whatIsExportedIsImportedAndExportedTheSame() throws IOException {
    store.putAll(TestBlocks.many(1, 300, 5000));
    Path first = directory.resolve("first.car");
    Path second = directory.resolve("second.car");
    Path data = directory.resolve("data");
    LmdbBlockStore.open(data).close();

    assertThat(remote("export", "--all", "-o", first.toString())).isZero();
    assertThat(run("import", "--data", data.toString(), "--json", first.toString())).isZero();
    assertThat(new JsonObject(out.toString()).getLong("new")).isEqualTo(300);
    assertThat(run("export", "--all", "--data", data.toString(), "-o", second.toString())).isZero();

    assertThat(Files.mismatch(first, second)).isEqualTo(-1);
    assertThat(run("verify", "--data", data.toString())).isZero();
  }

  @Test
  void aDagIsExportedDepthFirst() throws IOException {
    Block left = TestBlocks.numbered(1, 10);
    Block right = TestBlocks.numbered(2, 10);
    Block inner = node(left.cid(), right.cid());
    Block root = node(inner.cid(), right.cid());
    store.putAll(List.of(left, right, inner, root));
    Path car = directory.resolve("dag.car");

    assertThat(remote("export", "--root", root.cid().toString(), "-o", car.toString())).isZero();

    try (var reader =
        dev.ashlar.block.car.CarReader.open(
            Files.newInputStream(car), dev.ashlar.block.car.CarLimits.DEFAULT)) {
      assertThat(reader.roots()).containsExactly(root.cid());
      for (Block expected : List.of(root, inner, left, right)) {
        assertThat(reader.next()).contains(expected);
      }
      assertThat(reader.next()).isEmpty();
    }
    store.delete(left.cid());
    assertThat(remote("export", "--root", root.cid().toString(), "-o", car + "2"))
        .isEqualTo(Main.EXIT_ABSENT);
    assertThat(Path.of(car + "2")).doesNotExist();
  }

  @Test
  void aTruncatedCarEndsWithItsOffsetAndANonZeroStatus() throws IOException {
    store.putAll(TestBlocks.many(1, 10, 100));
    Path car = directory.resolve("whole.car");
    remote("export", "--all", "-o", car.toString());
    byte[] whole = Files.readAllBytes(car);
    Path cut =
        Files.write(directory.resolve("cut.car"), java.util.Arrays.copyOf(whole, whole.length - 7));

    assertThat(remote("import", cut.toString())).isEqualTo(Main.EXIT_FAILED);
    assertThat(err.toString()).contains("cut off").contains("byte").contains("9 blocks");
  }

  @Test
  void aFlagBeatsTheEnvironmentWhichBeatsTheFileWhichBeatsTheDefault() throws IOException {
    Path file = Files.writeString(directory.resolve("f"), "workers=5\nidle-seconds=7\n");
    Map<String, String> environment =
        Map.of("ASHLAR_WORKERS", "6", "ASHLAR_CONNECTIONS", "9", "ASHLAR_CONFIG", file.toString());
    String[] arguments = {"config", "--json", "--connections", "10"};

    assertThat(execute(new Settings(environment, arguments), arguments))
        .as(err.toString())
        .isZero();

    JsonObject all = new JsonObject(out.toString());
    assertThat(all.getJsonObject("connections").getString("from")).isEqualTo("flag");
    assertThat(all.getJsonObject("connections").getString("value")).isEqualTo("10");
    assertThat(all.getJsonObject("workers").getString("value")).isEqualTo("6");
    assertThat(all.getJsonObject("workers").getString("from")).contains("ASHLAR_WORKERS");
    assertThat(all.getJsonObject("idle-seconds").getString("value")).isEqualTo("7");
    assertThat(all.getJsonObject("idle-seconds").getString("from")).startsWith("file ");
    assertThat(all.getJsonObject("header-seconds").getString("from")).isEqualTo("default");
  }

  @Test
  void aServerOnTheCommandLineBeatsADirectoryOfTheEnvironment() {
    String[] arguments = {"stat", "--json", "--server", "http://127.0.0.1:" + gateway.port()};
    Map<String, String> environment =
        Map.of("ASHLAR_DATA", directory.resolve("node").toString(), "ASHLAR_JSON", "true");

    assertThat(execute(new Settings(environment, arguments), arguments))
        .as(err.toString())
        .isZero();
    assertThat(new JsonObject(out.toString()).getLong("blocks")).isZero();
  }

  @Test
  void mistakesAreNamed() throws IOException {
    assertThat(run("put", "--server", "http://127.0.0.1:1", "/dev/null"))
        .isEqualTo(Main.EXIT_UNAVAILABLE);
    assertThat(err.toString()).contains("no server answers");
    assertThat(remote("get", "nonsense")).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(run("nonsense")).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(run("ls", "--data", directory.toString())).isEqualTo(Main.EXIT_FAILED);
    assertThat(run("config", "--listen", "0.0.0.0:1")).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(err.toString()).contains("--token-file").contains("--allow-unauthenticated");
    Path file = Files.writeString(directory.resolve("f"), "no-such-option=1\n");
    assertThat(run("config", "--config", file.toString())).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(err.toString()).contains("no-such-option");
    try (LmdbBlockStore open = LmdbBlockStore.open(directory.resolve("busy"))) {
      assertThat(run("ls", "--data", directory.resolve("busy").toString()))
          .isEqualTo(Main.EXIT_UNAVAILABLE);
      assertThat(err.toString()).contains("is in use");
      assertThat(open.statistics().blocks()).isZero();
    }
  }

  /** A dag-pb node with links and no data. */
  private static Block node(Cid... links) {
    ByteArrayOutputStream node = new ByteArrayOutputStream();
    for (Cid link : links) {
      byte[] cid = link.toBytes();
      node.write(0x12);
      node.write(cid.length + 2);
      node.write(0x0a);
      node.write(cid.length);
      node.writeBytes(cid);
    }
    return Block.of(Multicodec.DAG_PB, HashFunction.SHA2_256, ByteBuffer.wrap(node.toByteArray()));
  }

  private int remote(String command, String... arguments) {
    String[] all = new String[arguments.length + 3];
    all[0] = command;
    all[1] = "--server";
    all[2] = "http://127.0.0.1:" + gateway.port();
    System.arraycopy(arguments, 0, all, 3, arguments.length);
    return run(all);
  }

  private int run(String... arguments) {
    return execute(new Settings(Map.of(), arguments), arguments);
  }

  private int execute(Settings settings, String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.commandLine(settings)
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(arguments);
  }

  private static <T> T await(Future<T> future) {
    return future.toCompletionStage().toCompletableFuture().join();
  }
}
