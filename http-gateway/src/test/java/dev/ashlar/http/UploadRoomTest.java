package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.TestBlocks;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A body is read only when there is room for it, and otherwise refused, not done. */
class UploadRoomTest extends GatewayFixture {

  UploadRoomTest() {
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
                  Duration.ofMinutes(2),
                  0,
                  BLOCK_BYTES_MAX,
                  d.workers(),
                  1,
                  d.inlineReadBytesMax(),
                  d.carBlocksMax(),
                  d.listLimitDefault()));
        });
  }

  @Test
  void anUploadThatFindsNoRoomIsRefusedAndWasNotDone() throws IOException {
    Block first = TestBlocks.numbered(1, BLOCK_BYTES_MAX);
    Block second = TestBlocks.numbered(2, BLOCK_BYTES_MAX);
    try (Socket holds = upload(first, BLOCK_BYTES_MAX / 2);
        Socket waits = upload(second, 0)) {
      String refused = answer(waits);

      assertThat(refused).startsWith("HTTP/1.1 503 ");
      assertThat(refused).containsPattern("(?i)retry-after: [1-9]");
      assertThat(store.has(second.cid())).isFalse();

      byte[] rest = new byte[BLOCK_BYTES_MAX - BLOCK_BYTES_MAX / 2];
      first.bytes().position(BLOCK_BYTES_MAX / 2).get(rest);
      holds.getOutputStream().write(rest);
      assertThat(answer(holds)).startsWith("HTTP/1.1 201 ");
    }
    assertThat(store.get(first.cid())).contains(first);
    assertThat(store.has(second.cid())).isFalse();
  }

  private Socket upload(Block block, int bytes) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway().port());
    socket.setSoTimeout(60_000);
    String head =
        "POST /blocks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            + "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n";
    byte[] part = new byte[bytes];
    block.bytes().get(part);
    socket
        .getOutputStream()
        .write(head.formatted(block.size()).getBytes(StandardCharsets.US_ASCII));
    socket.getOutputStream().write(part);
    return socket;
  }

  private static String answer(Socket socket) throws IOException {
    byte[] bytes = new byte[4096];
    int length = Math.max(0, socket.getInputStream().read(bytes));
    return new String(bytes, 0, length, StandardCharsets.US_ASCII);
  }
}
