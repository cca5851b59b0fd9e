package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.TestBlocks;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is not proper HTTP, comes too slowly, or comes from where it should not. */
class HostileRequestTest extends GatewayFixture {

  private static final GatewayOptions.Limits STRICT =
      new GatewayOptions.Limits(
          8,
          4,
          512,
          1024,
          Duration.ofMillis(300),
          Duration.ofSeconds(5),
          1024,
          BLOCK_BYTES_MAX + 1000,
          4,
          1,
          0,
          1000,
          10);

  HostileRequestTest() {
    super(options -> options.withLimits(STRICT).withHostNames(Set.of("blocks.example")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST /blocks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /blocks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /blocks HTTP/1.1\r\nHost: localhost\r\nContent-Length: +1\r\n\r\na",
        "GET /livez\u0000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\u0000b\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nX : a\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nX\u0001: a\r\n\r\n",
        "GET /livez HTTP/1.1\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-\u0000ength: 1\r\n\r\na",
        "nonsense\r\n\r\n",
      })
  void improperHttpIsRefused(String request) throws IOException {
    assertThat(raw(request)).matches("(?s)HTTP/1\\.[01] 400 .*");
    assertThat(store.statistics().blocks()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ipfs/../gc", "/ipfs/%2e%2e/gc", "/refs/a/%2E./../../gc", "/./gc"})
  void pathsThatLeadElsewhereAreRefused(String path) throws IOException {
    String head = " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    assertThat(raw("POST " + path + head)).startsWith("HTTP/1.1 400 ");
  }

  @Test
  void noRequestHidesInsideAnother() throws IOException {
    String hidden = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    String answers =
        raw(
            "GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Xength: "
                + hidden.length()
                + "\r\n\r\n"
                + hidden);

    assertThat(answers.split("HTTP/1.1 200", -1)).hasSize(3);
    String upgrade =
        raw(
            "POST /blocks HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                + "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 1\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assertThat(upgrade).startsWith("HTTP/1.1 400");
  }

  @Test
  void longLinesAndHeadersAreRefused() throws IOException {
    assertThat(raw("GET /" + "a".repeat(600) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        .matches("(?s)HTTP/1\\.[01] 414 .*");
    assertThat(raw("GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + "a".repeat(2000) + "\r\n\r\n"))
        .matches("(?s)HTTP/1\\.[01] 431 .*");
  }

  @Test
  void headersThatTrickleAreCutOff() throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway().port())) {
      // Never idle for as long as an idle connection may be.
      socket.setSoTimeout(50);
      socket
          .getOutputStream()
          .write("GET /livez HTTP/1.1\r\nX: ".getBytes(StandardCharsets.US_ASCII));
      boolean isOver = false;
      for (int i = 0; i < 500 && !isOver; i++) {
        isOver = endsWhile(socket, 'x');
      }

      assertThat(isOver).isTrue();
    }
  }

  private static boolean endsWhile(Socket socket, int said) throws IOException {
    try {
      socket.getOutputStream().write(said);
      int answer = socket.getInputStream().read();
      assertThat(answer).isEqualTo(-1);
      return true;
    } catch (SocketTimeoutException e) {
      return false;
    } catch (SocketException e) {
      return true;
    }
  }

  @Test
  void moreConnectionsThanAllowedAreClosed() throws IOException {
    Socket[] held = new Socket[4];
    try {
      for (int i = 0; i < held.length; i++) {
        held[i] = new Socket(InetAddress.getLoopbackAddress(), gateway().port());
        held[i].setSoTimeout(20_000);
        held[i]
            .getOutputStream()
            .write(
                "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
        assertThat(held[i].getInputStream().read()).isEqualTo('H');
      }
      try (Socket over = new Socket(InetAddress.getLoopbackAddress(), gateway().port())) {
        over.setSoTimeout(20_000);
        assertThat(endsWithoutAnswer(over.getInputStream())).isTrue();
      }
    } finally {
      for (Socket socket : held) {
        if (socket != null) {
          socket.close();
        }
      }
    }
  }

  @Test
  void webPagesChangeNothingHere() throws IOException {
    byte[] body = {1};
    assertThat(call("POST", "/blocks", body, "Origin", "https://evil.example").statusCode())
        .isEqualTo(403);
    assertThat(call("POST", "/blocks", body, "Origin", "null").statusCode()).isEqualTo(403);
    assertThat(
            call("POST", "/api/v0/version", body, "Referer", "https://evil.example/").statusCode())
        .isEqualTo(403);
    assertThat(call("POST", "/api/v0/version", body, "User-Agent", "Mozilla/5.0").statusCode())
        .isEqualTo(403);
    assertThat(
            call("POST", "/blocks", body, "Origin", "http://127.0.0.1:" + gateway().port())
                .statusCode())
        .isEqualTo(201);
    assertThat(raw(delete("rebound.example"))).startsWith("HTTP/1.1 403");
    assertThat(raw(delete("blocks.example"))).startsWith("HTTP/1.1 200");
    assertThat(store.statistics().blocks()).isEqualTo(1);
  }

  @Test
  void downloadsThatAreAbandonedHoldNothing() throws IOException {
    store.put(TestBlocks.numbered(1, BLOCK_BYTES_MAX));
    String path = "/blocks/" + TestBlocks.numbered(1, BLOCK_BYTES_MAX).cid();
    byte[] request =
        ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < 60; i++) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway().port())) {
        socket.setSoLinger(true, 0);
        socket.getOutputStream().write(request);
      } catch (IOException e) {
        // One connection too many at once: refused, as it should be.
        assertThat(e).isInstanceOf(java.net.SocketException.class);
      }
    }

    int status = 0;
    for (int tries = 0; tries < 10_000 && status != 200; tries++) {
      try {
        status = status(gateway(), "GET", path);
      } catch (java.io.UncheckedIOException e) {
        // The abandoned connections still count until the server has seen them go.
        status = 0;
      }
    }
    assertThat(status).isEqualTo(200);
    assertThat(get(path).body()).hasSize(BLOCK_BYTES_MAX);
  }

  @Test
  void aMultipartBodyThatIsCutShortIsRefusedAtOnce() {
    HttpResponse<byte[]> response =
        call(
            "POST",
            "/api/v0/block/put",
            "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nhello"
                .getBytes(StandardCharsets.US_ASCII),
            "Content-Type",
            "multipart/form-data; boundary=x");

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(text(response)).contains("multipart");
    assertThat(store.statistics().blocks()).isZero();
  }

  @Test
  void anUploadWaitsUntilThereIsRoomForIt() throws IOException {
    String head =
        "POST /blocks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ";
    try (Socket first = new Socket(InetAddress.getLoopbackAddress(), gateway().port());
        Socket second = new Socket(InetAddress.getLoopbackAddress(), gateway().port())) {
      byte[] large = new byte[BLOCK_BYTES_MAX];
      write(first, head + large.length + "\r\n\r\n");
      write(first, "x");
      write(second, head + "2000\r\n\r\n" + "y".repeat(2000));
      first.getOutputStream().write(large, 1, large.length - 1);

      assertThat(answer(first)).startsWith("HTTP/1.1 201");
      assertThat(answer(second)).startsWith("HTTP/1.1 201");
    }
    assertThat(store.statistics().blocks()).isEqualTo(2);
  }

  private static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String answer(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
  }

  @Test
  void anUploadThatIsCutOffLeavesNothing() throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway().port())) {
      socket
          .getOutputStream()
          .write(
              "POST /blocks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc"
                  .getBytes(StandardCharsets.US_ASCII));
    }
    HttpResponse<byte[]> after = call("POST", "/blocks", new byte[] {1, 2});
    assertThat(after.statusCode()).isEqualTo(201);
    assertThat(store.statistics().blocks()).isEqualTo(1);
  }

  @Test
  void aTokenIsAskedForWhereThereIsOneAndTheReadOnlySideHasNoWrites() {
    Gateway guarded = start(store, options -> options.withTokens(Set.of("secret")));
    Gateway reading = start(store, GatewayOptions::readingOnly);
    try {
      assertThat(status(guarded, "GET", "/stats")).isEqualTo(401);
      assertThat(status(guarded, "GET", "/stats", "Authorization", "Bearer wrong")).isEqualTo(401);
      assertThat(status(guarded, "GET", "/stats", "Authorization", "Bearer secret")).isEqualTo(200);
      assertThat(status(guarded, "GET", "/livez")).isEqualTo(200);
      store.put(TestBlocks.numbered(1, 10));
      String block = "/ipfs/" + TestBlocks.numbered(1, 10).cid() + "?format=raw";
      assertThat(status(reading, "GET", block)).isEqualTo(200);
      assertThat(status(reading, "POST", "/blocks")).isEqualTo(404);
      assertThat(status(reading, "GET", "/stats")).isEqualTo(404);
      assertThat(status(reading, "POST", "/api/v0/version")).isEqualTo(404);
    } finally {
      await(guarded.stop(Duration.ofSeconds(1)));
      await(reading.stop(Duration.ofSeconds(1)));
    }
  }

  private int status(Gateway gateway, String method, String path, String... headers) {
    java.net.URI uri = java.net.URI.create("http://127.0.0.1:" + gateway.port() + path);
    return send(headers(java.net.http.HttpRequest.newBuilder(uri), headers)
            .method(method, java.net.http.HttpRequest.BodyPublishers.noBody()))
        .statusCode();
  }

  private static String delete(String host) {
    return "DELETE /blocks/"
        + TestBlocks.numbered(9, 9).cid()
        + " HTTP/1.1\r\nHost: "
        + host
        + "\r\nConnection: close\r\n\r\n";
  }

  private static boolean endsWithoutAnswer(InputStream in) {
    try {
      return in.read() < 0;
    } catch (IOException e) {
      return !(e instanceof java.net.SocketTimeoutException);
    }
  }
}
