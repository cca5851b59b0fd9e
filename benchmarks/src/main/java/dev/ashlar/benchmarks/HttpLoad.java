package dev.ashlar.benchmarks;

import dev.ashlar.block.Block;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.root.RootedBlockStore;
import dev.ashlar.http.Gateway;
import dev.ashlar.http.GatewayOptions;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;

/**
 * HTTP puts and gets over keep-alive connections, beside a Vert.x server that answers with a
 * constant buffer. Client and server share the machine, so the ratios are what counts.
 */
final class HttpLoad {

  private static final int ROUNDS = 3;
  private static final int[] CONCURRENCY = {1, 16, 64};

  private HttpLoad() {}

  static void run(Path directory) throws IOException {
    Vertx vertx =
        Gateway.vertx(new VertxOptions().setEventLoopPoolSize(3), GatewayOptions.Limits.DEFAULT);
    try {
      for (int size : new int[] {1 << 10, 64 << 10, 256 << 10, 1 << 20}) {
        Path place = Files.createTempDirectory(directory, "http");
        try (LmdbBlockStore store = LmdbBlockStore.open(place)) {
          gets(vertx, store, size);
          puts(vertx, store, size);
        }
        Layouts.deleteBelow(directory);
      }
    } finally {
      await(vertx.close());
    }
  }

  private static void gets(Vertx vertx, RootedBlockStore store, int size) throws IOException {
    List<Block> blocks = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      blocks.add(block(size, i));
    }
    store.putAll(blocks);
    Buffer constant = Buffer.buffer(blocks.get(0).toByteArray());
    HttpServer floor =
        await(
            vertx
                .createHttpServer()
                .requestHandler(request -> request.response().end(constant))
                .listen(0, "127.0.0.1"));
    Gateway hop = gateway(vertx, store, 0);
    Gateway inline = gateway(vertx, store, size);
    LongFunction<byte[]> get =
        i ->
            ("GET /blocks/"
                    + blocks.get((int) (i % blocks.size())).cid()
                    + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    for (int concurrency : CONCURRENCY) {
      List<List<Double>> rates = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
      for (int round = 0; round < ROUNDS; round++) {
        rates.get(0).add(LoadClient.load(floor.actualPort(), concurrency, get));
        rates.get(1).add(LoadClient.load(hop.port(), concurrency, get));
        rates.get(2).add(LoadClient.load(inline.port(), concurrency, get));
      }
      double floorRate = Layouts.median(rates.get(0));
      System.out.printf(
          "get %4dK c%-2d  constant %8.0f/s   ashlar %8.0f/s (%.2f)   read on the loop %8.0f/s"
              + " (%.2f)%n",
          size >> 10,
          concurrency,
          floorRate,
          Layouts.median(rates.get(1)),
          Layouts.median(rates.get(1)) / floorRate,
          Layouts.median(rates.get(2)),
          Layouts.median(rates.get(2)) / floorRate);
    }
    await(floor.close());
    await(hop.stop(Duration.ofSeconds(5)));
    await(inline.stop(Duration.ofSeconds(5)));
  }

  private static void puts(Vertx vertx, RootedBlockStore store, int size) throws IOException {
    Gateway gateway = gateway(vertx, store, 0);
    AtomicLong number = new AtomicLong();
    byte[] body = block(size, 1).toByteArray();
    LongFunction<byte[]> put = LoadClient.puts(number, body);
    for (int concurrency : CONCURRENCY) {
      List<Double> rates = new ArrayList<>();
      for (int round = 0; round < ROUNDS; round++) {
        rates.add(LoadClient.load(gateway.port(), concurrency, put));
      }
      System.out.printf(
          "put %4dK c%-2d  ashlar %8.0f/s  %7.1f MB/s%n",
          size >> 10, concurrency, Layouts.median(rates), Layouts.median(rates) * size / 1e6);
    }
    await(gateway.stop(Duration.ofSeconds(5)));
  }

  private static Gateway gateway(Vertx vertx, RootedBlockStore store, int inlineReadBytes) {
    GatewayOptions.Limits d = GatewayOptions.Limits.DEFAULT;
    GatewayOptions.Limits limits =
        new GatewayOptions.Limits(
            d.connectionsMax(),
            d.connectionsPerAddressMax(),
            d.requestLineBytesMax(),
            d.headerBytesMax(),
            d.headerTimeout(),
            d.idleTimeout(),
            d.bodyBytesPerSecondMin(),
            d.bodyBytesInFlightMax(),
            d.workers(),
            1,
            inlineReadBytes,
            d.carBlocksMax(),
            d.listLimitDefault());
    return await(
        Gateway.start(
            vertx,
            store,
            GatewayOptions.DEFAULT.at("127.0.0.1", 0).withLimits(limits),
            "ashlar/benchmark",
            List::of));
  }

  private static Block block(int size, int number) {
    byte[] bytes = new byte[size];
    new Random(number).nextBytes(bytes);
    return Block.of(Multicodec.RAW, HashFunction.SHA2_256, ByteBuffer.wrap(bytes));
  }

  private static <T> T await(Future<T> future) {
    return future.toCompletionStage().toCompletableFuture().join();
  }
}
