package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.TestBlocks;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientAgent;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who takes nothing of an answer and is not idle for all that is broken off. */
class SlowReaderTest extends GatewayFixture {

  private static final int TRICKLE_MILLIS = 50;
  private static final int PATIENCE_SECONDS = 30;

  /** More than the buffers of two sockets take. */
  private static final int BLOCKS = 40;

  SlowReaderTest() {
    super(
        options -> {
          GatewayOptions.Limits d = GatewayOptions.Limits.DEFAULT;
          return options.withLimits(
              new GatewayOptions.Limits(
                  d.connectionsMax(),
                  d.connectionsPerAddressMax(),
                  d.requestLineBytesMax(),
                  d.headerBytesMax(),
                  d.headerTimeout(),
                  Duration.ofMillis(500),
                  BLOCK_BYTES_MAX,
                  d.bodyBytesInFlightMax(),
                  d.workers(),
                  d.eventLoops(),
                  d.inlineReadBytesMax(),
                  d.carBlocksMax(),
                  d.listLimitDefault()));
        });
  }

  @Test
  void aReaderOfBlocksThatTakesNothing() throws IOException {
    Block block = TestBlocks.numbered(1, BLOCK_BYTES_MAX);
    store.put(block);
    requireBrokenOff(
        ("GET /blocks/" + block.cid() + " HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(BLOCKS));
  }

  @Test
  void aReaderOfACarThatTakesNothing() throws IOException {
    String cids = putBlocks();
    requireBrokenOff(
        "POST /blocks/get HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
            + cids.length()
            + "\r\n\r\n"
            + cids);
  }

  @Test
  void aStreamOfACarThatTakesNothing() {
    String cids = putBlocks();
    HttpClientAgent http2 = http2();
    Promise<Throwable> broken = Promise.promise();
    HttpClientRequest request = await(http2.request(post()));
    // Not idle, whatever becomes of the stream.
    long pings =
        vertx.setPeriodic(
            TRICKLE_MILLIS, id -> request.connection().ping(Buffer.buffer(new byte[8])));
    var unused =
        request
            .send(Buffer.buffer(cids))
            .onSuccess(
                head -> {
                  head.pause();
                  head.exceptionHandler(broken::tryComplete);
                });

    assertThat(await(broken.future().timeout(PATIENCE_SECONDS, TimeUnit.SECONDS))).isNotNull();

    vertx.cancelTimer(pings);
    await(http2.close());
  }

  private String putBlocks() {
    StringBuilder cids = new StringBuilder();
    for (int i = 0; i < BLOCKS; i++) {
      Block block = TestBlocks.numbered(i, BLOCK_BYTES_MAX);
      store.put(block);
      cids.append(block.cid()).append('\n');
    }
    return cids.toString();
  }

  private RequestOptions post() {
    return new RequestOptions()
        .setMethod(HttpMethod.POST)
        .setHost("127.0.0.1")
        .setPort(gateway().port())
        .setURI("/blocks/get");
  }

  private HttpClientAgent http2() {
    return vertx.createHttpClient(
        new HttpClientOptions()
            .setProtocolVersion(HttpVersion.HTTP_2)
            .setHttp2ClearTextUpgrade(false));
  }

  /** Sends requests, reads nothing, and sends the head of another one a byte now and then. */
  private void requireBrokenOff(String requests) throws IOException {
    CompletableFuture<Void> broken = new CompletableFuture<>();
    try (Socket socket = new Socket()) {
      socket.setReceiveBufferSize(4096);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), gateway().port()));
      socket.getOutputStream().write(requests.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().write("GET /".getBytes(StandardCharsets.ISO_8859_1));
      long trickle =
          vertx.setPeriodic(
              TRICKLE_MILLIS,
              id ->
                  vertx
                      .executeBlocking(
                          () -> {
                            socket.getOutputStream().write('a');
                            return null;
                          })
                      .onFailure(gone -> broken.complete(null)));
      broken.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
      vertx.cancelTimer(trickle);
    }
  }
}
