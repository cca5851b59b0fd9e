package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.ipld.PbNode;
import dev.ashlar.block.ipld.ProtobufWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** CARs of more bytes than may be held at once. */
class CarBudgetTest extends GatewayFixture {

  private static final int LEAF_BYTES = 200_000;
  private static final int LEAVES = 40;

  private Cid root = Cid.parse("bafkqaaa");

  CarBudgetTest() {
    super(
        options -> {
          GatewayOptions.Limits d = options.limits();
          return options.withLimits(
              new GatewayOptions.Limits(
                  d.connectionsMax(),
                  d.connectionsPerAddressMax(),
                  d.requestLineBytesMax(),
                  d.headerBytesMax(),
                  d.headerTimeout(),
                  d.idleTimeout(),
                  d.bodyBytesPerSecondMin(),
                  12L << 20,
                  d.workers(),
                  d.eventLoops(),
                  d.inlineReadBytesMax(),
                  50,
                  d.listLimitDefault()));
        });
  }

  @BeforeEach
  void putFile() {
    List<PbNode.PbLink> links = new ArrayList<>();
    for (int i = 0; i < LEAVES; i++) {
      Block leaf = TestBlocks.numbered(i, LEAF_BYTES);
      store.put(leaf);
      links.add(new PbNode.PbLink(leaf.cid(), "", LEAF_BYTES));
    }
    Block node = node(links);
    store.put(node);
    root = node.cid();
  }

  private static Block node(List<PbNode.PbLink> links) {
    return Block.of(
        Multicodec.DAG_PB, HashFunction.SHA2_256, new PbNode(Optional.empty(), links).encode());
  }

  @Test
  void aCarOfManySlicesIsWhole() {
    for (int i = 0; i < 5; i++) {
      assertThat(get("/ipfs/" + root + "?format=car").body())
          .hasSizeGreaterThan(LEAVES * LEAF_BYTES);
    }
  }

  @Test
  void whatAnAbortedDownloadHeldIsGivenBack() throws IOException {
    for (int i = 0; i < 20; i++) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway().port())) {
        String request = "GET /ipfs/" + root + "?format=car HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        assertThat(socket.getInputStream().readNBytes(1000)).hasSize(1000);
      }
      // That nobody reads any more is noticed a moment later.
      while (get("/ipfs/" + root + "?format=car").statusCode() == 503) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void aRefusalHasNothingOfWhatWouldHaveBeenSent() {
    Block rotten =
        Block.of(
            Multicodec.DAG_CBOR, HashFunction.SHA2_256, ByteBuffer.wrap(new byte[] {(byte) 0x9b}));
    store.put(rotten);

    HttpResponse<byte[]> response = get("/ipfs/" + rotten.cid() + "?format=car");

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.headers().map())
        .doesNotContainKeys("etag", "cache-control", "content-disposition", "x-ipfs-path");
  }

  @Test
  void aFewBlocksCannotPretendToBeAnEndlessFile() {
    Block leaf = TestBlocks.numbered(1, 10);
    Block inner = endless(leaf.cid());
    Block outer = endless(inner.cid());
    store.putAll(List.of(leaf, inner, outer));

    HttpResponse<byte[]> response = get("/ipfs/" + outer.cid() + "?format=car&entity-bytes=0:10");

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body().length).isLessThan(inner.size() + outer.size() + 1000);
  }

  /** Ten thousand parts; half of them claim to be empty, the others to be a byte. */
  private static Block endless(Cid part) {
    int parts = 10_000;
    ProtobufWriter file = new ProtobufWriter().number(1, 2).number(3, 100);
    List<PbNode.PbLink> links = new ArrayList<>();
    for (int i = 0; i < parts; i++) {
      file.number(4, i % 2);
      links.add(new PbNode.PbLink(part, "", 1));
    }
    return Block.of(
        Multicodec.DAG_PB,
        HashFunction.SHA2_256,
        new PbNode(Optional.of(file.toBytes()), links).encode());
  }

  @Test
  void aDagOfMoreBlocksThanAllowedIsCutOffWithAnError() {
    Block wide = node(List.of(new PbNode.PbLink(root, "a", 1), new PbNode.PbLink(root, "b", 1)));
    store.put(wide);

    assertThat(get("/ipfs/" + wide.cid() + "?format=car").statusCode()).isEqualTo(200);
    assertThatThrownBy(() -> get("/ipfs/" + wide.cid() + "?format=car&car-dups=y"))
        .hasRootCauseInstanceOf(IOException.class);
  }
}
