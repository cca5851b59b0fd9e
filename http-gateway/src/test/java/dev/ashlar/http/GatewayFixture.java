package dev.ashlar.http;

import dev.ashlar.block.engine.StoreLimits;
import dev.ashlar.block.root.RootedBlockStore;
import dev.ashlar.store.memory.MemoryBlockStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;

/** A gateway over an empty memory store on an ephemeral port of loopback, and clients for it. */
abstract class GatewayFixture {

  static final int BLOCK_BYTES_MAX = 1 << 20;

  final Vertx vertx;
  final MemoryBlockStore store =
      MemoryBlockStore.open(
          256 << 20,
          StoreLimits.DEFAULT.withBlockBytesMax(BLOCK_BYTES_MAX).withReserveBytes(1 << 20));
  final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
  volatile List<String> unready = List.of();
  private final Gateway gateway;

  GatewayFixture() {
    this(options -> options);
  }

  GatewayFixture(UnaryOperator<GatewayOptions> change) {
    vertx = Gateway.vertx(new VertxOptions(), change.apply(GatewayOptions.DEFAULT).limits());
    gateway = start(store, change);
  }

  final Gateway start(RootedBlockStore served, UnaryOperator<GatewayOptions> change) {
    return await(
        Gateway.start(
            vertx,
            served,
            change.apply(GatewayOptions.DEFAULT.at("127.0.0.1", 0)),
            "ashlar/test",
            () -> unready));
  }

  @AfterEach
  final void stop() {
    await(gateway.stop(Duration.ofSeconds(5)));
    await(vertx.close());
    store.close();
  }

  static <T> T await(Future<T> future) {
    return future.toCompletionStage().toCompletableFuture().join();
  }

  Gateway gateway() {
    return gateway;
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + gateway.port() + path);
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(30));
  }

  HttpResponse<byte[]> send(HttpRequest.Builder request) {
    try {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  HttpResponse<byte[]> get(String path, String... headers) {
    return send(headers(request(path), headers));
  }

  HttpResponse<byte[]> call(String method, String path, byte[] body, String... headers) {
    return send(
        headers(request(path), headers)
            .method(method, HttpRequest.BodyPublishers.ofByteArray(body)));
  }

  static HttpRequest.Builder headers(HttpRequest.Builder request, String... headers) {
    return headers.length == 0 ? request : request.headers(headers);
  }

  static String text(HttpResponse<byte[]> response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  /** Sends bytes as they are and gives all that comes back until the server closes. */
  String raw(String bytes) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway.port())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
      InputStream in = socket.getInputStream();
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }
}
