package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.car.CarWriter;
import dev.ashlar.block.ipld.Node;
import dev.ashlar.block.ipld.NodeCodec;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What takes long, asked for by those who mean it ill: it ends, and leaves nothing behind. */
class HostileTasksTest extends GatewayFixture {

  private static final int JOBS = 2;
  private static final String[] CAR = {"Content-Type", "application/vnd.ipld.car"};

  private static final GatewayOptions.Limits PATIENT_FOR_A_SECOND =
      new GatewayOptions.Limits(
          100,
          100,
          4096,
          8192,
          Duration.ofSeconds(10),
          Duration.ofSeconds(1),
          100,
          1 << 26,
          4,
          1,
          0,
          1000,
          10);

  HostileTasksTest() {
    super(
        options ->
            options
                .withLimits(PATIENT_FOR_A_SECOND)
                .withTasks(new GatewayOptions.Tasks(JOBS, 4, 1 << 20, Duration.ofHours(1), 0)));
  }

  @Test
  void whoGoesOnSendingAfterTheAnswerIsCutOff() throws IOException {
    String form =
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\none\r\n"
            + "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"..\"\r\n\r\ntwo\r\n";

    try (Socket socket = open("POST /api/v0/add", "multipart/form-data; boundary=b", 100_000_000)) {
      socket.getOutputStream().write(form.getBytes(StandardCharsets.US_ASCII));

      // The first file has been told: the answer ends with a trailer, and then the connection.
      assertThat(answer(socket)).contains("X-Stream-Error: ").contains("no path");
    }
    requireAllPlaces();
  }

  @Test
  void uploadsThatAreBrokenOffGiveTheirPlaceBack() throws IOException {
    for (int i = 0; i < 20; i++) {
      try (Socket socket = open("POST /blocks", "application/vnd.ipld.car", 1_000_000)) {
        socket.getOutputStream().write(car(List.of(TestBlocks.numbered(i, 100))));
        socket.setSoLinger(true, 0);
      }
    }

    requireAllPlaces();
  }

  @Test
  void uploadsThatStandStillAreEndedAndOthersAreToldToWait() throws IOException {
    List<Socket> still = new ArrayList<>();
    for (int i = 0; i <= JOBS; i++) {
      still.add(open("POST /api/v0/add", "multipart/form-data; boundary=b", 1_000_000));
    }

    List<String> refused = new ArrayList<>();
    for (Socket socket : still) {
      String answer = answer(socket);
      socket.close();
      if (answer.startsWith("HTTP/1.1 503 ")) {
        refused.add(answer);
      } else {
        // Kubo's form of it. The connection has been idle just as long: it may be closed before.
        assertThat(answer).matches("(?s)(HTTP/1\\.1 500 .*bytes a second or faster.*)?");
      }
    }
    assertThat(refused).hasSize(1).first().asString().contains("Retry-After: ");
    requireAllPlaces();
  }

  @Test
  void readersThatStandStillAreBrokenOff() throws IOException {
    List<Block> blocks = TestBlocks.many(1, 60, BLOCK_BYTES_MAX);
    store.putAll(blocks);
    String list = String.join("\n", blocks.stream().map(b -> b.cid().toString()).toList());
    List<Socket> still = new ArrayList<>();
    for (int i = 0; i < JOBS; i++) {
      Socket socket = open("POST /blocks/get", "text/plain", list.length());
      socket.getOutputStream().write(list.getBytes(StandardCharsets.US_ASCII));
      still.add(socket);
    }

    requireAllPlaces();
    for (Socket socket : still) {
      socket.close();
    }
  }

  @Test
  void aCarThatIsCutShortKeepsWhatCameWholeAndSaysSo() throws IOException {
    Block first = TestBlocks.numbered(1, 100);
    byte[] whole = car(List.of(first, TestBlocks.numbered(2, 100)));

    List<String> lines =
        text(call("POST", "/blocks", Arrays.copyOf(whole, whole.length - 10), CAR))
            .lines()
            .toList();

    JsonObject end = new JsonObject(lines.get(lines.size() - 1));
    assertThat(end.getBoolean("end")).isTrue();
    assertThat(end.getInteger("blocks")).isEqualTo(1);
    assertThat(end.getString("error")).isNotEmpty();
    assertThat(store.has(first.cid())).isTrue();
  }

  @Test
  void aCarThatClaimsTheEarthIsRefused() {
    byte[] endless = {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x7f, 1, 2, 3};

    assertThat(call("POST", "/blocks", endless, CAR).statusCode()).isEqualTo(400);
    assertThat(store.statistics().blocks()).isZero();
  }

  @Test
  void aCarOfOneBlockAThousandTimesIsOneBlock() throws IOException {
    Block block = TestBlocks.numbered(1, 1000);

    String answer =
        text(call("POST", "/blocks", car(java.util.Collections.nCopies(1000, block)), CAR));

    JsonObject end = new JsonObject(answer.lines().reduce((one, other) -> other).orElseThrow());
    assertThat(end.getInteger("blocks")).isEqualTo(1000);
    assertThat(end.getInteger("new")).isEqualTo(1);
    assertThat(store.statistics().blocks()).isEqualTo(1);
  }

  @Test
  void listsThatAreTooLongAreRefused() {
    String cid = TestBlocks.numbered(1, 1).cid().toString();

    assertThat(list((cid + "\n").repeat(10_001)).statusCode()).isEqualTo(400);
    assertThat(list("x".repeat((2 << 20) + 1)).statusCode()).isEqualTo(413);
    assertThat(list("[\"" + cid + "\"").statusCode()).isEqualTo(400);
    assertThat(list("[".repeat(100_000)).statusCode()).isEqualTo(400);
    assertThat(list("").statusCode()).isEqualTo(400);
  }

  /** A megabyte is allowed for marks: more blocks than that are not walked. */
  @Test
  void aDagThatIsTooWideIsNotPinned() {
    List<Node> links = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      List<Node> leaves = new ArrayList<>();
      for (int j = 0; j < 300; j++) {
        leaves.add(new Node.Link(TestBlocks.numbered(i * 1000L + j, 4).cid()));
      }
      links.add(new Node.Link(put(new Node.Sequence(leaves))));
    }
    Cid root = put(new Node.Sequence(links));

    HttpResponse<byte[]> pinned = call("POST", "/api/v0/pin/add?arg=" + root, new byte[0]);

    assertThat(pinned.statusCode()).as(text(pinned)).isEqualTo(500);
    assertThat(text(get("/pins"))).doesNotContain(root.toString());
    requireAllPlaces();
  }

  @Test
  void aDagThatIsTooDeepIsBrokenOffAndHoldsNothing() {
    Cid next = put(new Node.Sequence(List.of()));
    for (int i = 0; i < 3000; i++) {
      next = put(new Node.Sequence(List.of(new Node.Link(next))));
    }
    Cid root = next;

    HttpResponse<byte[]> stat = call("POST", "/api/v0/dag/stat?arg=" + root, new byte[0]);

    assertThat(stat.statusCode()).isEqualTo(500);
    assertThatThrownBy(() -> get("/ipfs/" + root + "?format=car"))
        .isInstanceOf(java.io.UncheckedIOException.class);
    requireAllPlaces();
  }

  private Cid put(Node node) {
    Block block =
        Block.of(
            Multicodec.DAG_CBOR,
            HashFunction.SHA2_256,
            NodeCodec.encode(Multicodec.DAG_CBOR, node));
    store.put(block);
    return block.cid();
  }

  private HttpResponse<byte[]> list(String text) {
    return call("POST", "/blocks/has", text.getBytes(StandardCharsets.US_ASCII));
  }

  /** As many tasks at once as there may be: none of the places is held by what went before. */
  private void requireAllPlaces() {
    for (int i = 0; i < JOBS; i++) {
      // A task that has just been given up ends a moment later.
      int status = 503;
      while (status == 503) {
        status = call("POST", "/blocks", car(List.of()), CAR).statusCode();
      }
      assertThat(status).isEqualTo(200);
    }
  }

  private Socket open(String request, String contentType, int length) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway().port());
    socket.setSoTimeout(20_000);
    socket
        .getOutputStream()
        .write(
            (request
                    + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
                    + contentType
                    + "\r\nContent-Length: "
                    + length
                    + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  private static String answer(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
  }

  private static byte[] car(List<Block> blocks) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      CarWriter writer = CarWriter.open(bytes, List.of());
      for (Block block : blocks) {
        writer.write(block);
      }
      writer.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
