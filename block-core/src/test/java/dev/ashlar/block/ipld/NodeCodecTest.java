package dev.ashlar.block.ipld;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Values in each codec; the dag-cbor bytes are those of RFC 8949, appendix A, where it has them.
 */
class NodeCodecTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '\0',
      value = {
        "0;00",
        "23;17",
        "24;1818",
        "1000;1903e8",
        "1000000000000;1b000000e8d4a51000",
        "18446744073709551615;1bffffffffffffffff",
        "-1;20",
        "-1000;3903e7",
        "-18446744073709551616;3bffffffffffffffff",
        "1.5;fb3ff8000000000000",
        "true;f5",
        "null;f6",
        "\"ü\";62c3bc",
        "[1,[2,3]];8201820203",
        "{\"a\":1,\"b\":[2,3]};a26161016162820203",
        "{\"/\":{\"bytes\":\"AQI\"}};420102",
        "{\"/\":\"bafkqaaa\"};d82a450001550000"
      })
  void jsonAndCborSayTheSame(String json, String cbor) {
    Node node = NodeCodec.decode(Multicodec.DAG_JSON, utf8(json));
    byte[] bytes = HexFormat.of().parseHex(cbor);

    assertThat(hex(NodeCodec.encode(Multicodec.DAG_CBOR, node))).isEqualTo(cbor);
    assertThat(NodeCodec.decode(Multicodec.DAG_CBOR, ByteBuffer.wrap(bytes))).isEqualTo(node);
    assertThat(
            StandardCharsets.UTF_8.decode(NodeCodec.encode(Multicodec.DAG_JSON, node)).toString())
        .isEqualTo(json);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"/\":{\"/\":\"CID\"}}",
        "{\"/\":{\"/\":\"CID\"},\"b\":{\"/\":\"CID\"}}",
        "{\"/\":[{\"/\":\"CID\"},{\"/\":{\"/\":{\"/\":\"CID\"}}}]}",
        "{\"a\":{\"/\":{\"bytes\":\"AQI\"}},\"b\":{\"/\":\"CID\"}}",
        "{\"/\":{\"bytes\":{\"/\":\"CID\"}}}",
        "{\"/\":{}}",
        "[[],{},{\"/\":\"CID\"}]"
      })
  void theLinksOfABlockAreThoseOfItsValue(String pattern) {
    String json =
        pattern.replace("CID", "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy");
    Block block = Block.of(Multicodec.DAG_JSON, HashFunction.SHA2_256, utf8(json));
    List<Cid> links = new ArrayList<>();
    collectLinks(NodeCodec.decode(Multicodec.DAG_JSON, block.bytes()), links);

    assertThat(Links.of(block)).isEqualTo(links);
  }

  private static void collectLinks(Node node, List<Cid> links) {
    if (node instanceof Node.Link link) {
      links.add(link.cid());
    } else if (node instanceof Node.Sequence list) {
      list.values().forEach(value -> collectLinks(value, links));
    } else if (node instanceof Node.Mapping map) {
      map.values().values().forEach(value -> collectLinks(value, links));
    }
  }

  @Test
  void aBlockOfMoreValuesThanAnybodyHasUseForIsNotDecoded() {
    ByteBuffer nulls = ByteBuffer.allocate(2 << 20).put((byte) 0x9a).putInt((2 << 20) - 5);
    while (nulls.hasRemaining()) {
      nulls.put((byte) 0xf6);
    }

    assertThatThrownBy(() -> NodeCodec.decode(Multicodec.DAG_CBOR, nulls.flip()))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("250000 values");
  }

  @Test
  void keysAreSortedAsEachCodecWantsIt() {
    Node node = NodeCodec.decode(Multicodec.DAG_JSON, utf8("{\"bb\":1,\"a\":2,\"ab\":3,\"c\":4}"));

    assertThat(text(NodeCodec.encode(Multicodec.DAG_JSON, node)))
        .isEqualTo("{\"a\":2,\"ab\":3,\"bb\":1,\"c\":4}");
    assertThat(hex(NodeCodec.encode(Multicodec.DAG_CBOR, node)))
        .isEqualTo("a4616102616304626162" + "03" + "626262" + "01");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '\0',
      value = {
        "{\"a\":1,\"a\":2};twice",
        "{\"/\":\"no\"};",
        "{\"/\":{\"bytes\":\"!\"}};base64",
        "[1;",
        "1 2;follows",
        "nul;"
      })
  void jsonThatIsNoneIsRefused(String json, String why) {
    assertThatThrownBy(() -> NodeCodec.decode(Multicodec.DAG_JSON, utf8(json)))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining(why == null ? "" : why);
  }

  @ParameterizedTest
  @CsvSource({
    "a2616101616102",
    "fb7ff8000000000000",
    "f7",
    "0000",
    "c100",
    "9f01ff",
    "61",
    "d82a4101"
  })
  void cborThatIsNoneIsRefused(String hex) {
    ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
    assertThatThrownBy(() -> NodeCodec.decode(Multicodec.DAG_CBOR, bytes))
        .isInstanceOf(MalformedException.class);
  }

  @Test
  void whatIsNestedTooDeeplyIsRefusedAndExhaustsNoStack() {
    byte[] deep = new byte[100_000];
    java.util.Arrays.fill(deep, (byte) 0x81);
    assertThatThrownBy(() -> NodeCodec.decode(Multicodec.DAG_CBOR, ByteBuffer.wrap(deep)))
        .isInstanceOf(MalformedException.class);
    assertThatThrownBy(() -> NodeCodec.decode(Multicodec.DAG_JSON, utf8("[".repeat(100_000))))
        .isInstanceOf(MalformedException.class);
  }

  @Test
  void randomBytesAreAValueOrAreRefused() {
    Random random = new Random(5);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(30)];
      random.nextBytes(bytes);
      for (long codec : new long[] {Multicodec.DAG_CBOR, Multicodec.DAG_JSON, Multicodec.DAG_PB}) {
        try {
          Node node = NodeCodec.decode(codec, ByteBuffer.wrap(bytes));
          assertThat(NodeCodec.decode(codec, NodeCodec.encode(codec, node))).isEqualTo(node);
        } catch (MalformedException e) {
          assertThat(e).hasMessageContaining(" ");
        }
      }
    }
  }

  private static ByteBuffer utf8(String text) {
    return StandardCharsets.UTF_8.encode(text);
  }

  private static String text(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes).toString();
  }

  private static String hex(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    return HexFormat.of().formatHex(copy);
  }
}
