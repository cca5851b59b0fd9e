package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.ipld.PbNode;
import dev.ashlar.block.unixfs.UnixFsWriter;
import io.netty.buffer.PoolArenaMetric;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files and directories as a browser wants them (Path Gateway specification). */
class FileRoutesTest extends GatewayFixture {

  private static final String ODD_NAME = "<b>&'\"a b#?.txt";

  private final byte[] large = new byte[700_001];
  private final TreeMap<String, UnixFsWriter.Written> entries = new TreeMap<>();
  private final UnixFsWriter writer =
      new UnixFsWriter(
          new UnixFsWriter.Profile(
              1, true, 100_000, 3, HashFunction.SHA2_256, 256 << 10, UnixFsWriter.Estimate.BLOCK),
          store::put);
  private Cid root = Cid.parse("bafkqaaa");

  FileRoutesTest() {
    super(options -> options.deserializing(true));
  }

  @BeforeEach
  void write() throws IOException {
    new Random(1).nextBytes(large);
    TreeMap<String, UnixFsWriter.Written> sub = new TreeMap<>();
    sub.put("index.html", file("<p>index</p>"));
    entries.put("sub", writer.directory(sub));
    entries.put("empty", file(""));
    entries.put("hello.txt", file("hello"));
    entries.put("large.bin", writer.file(new ByteArrayInputStream(large)));
    entries.put("page", file("  <!DOCTYPE html><p>x"));
    entries.put("picture", file("GIF89a..."));
    entries.put("text", file("grüße"));
    entries.put("vector.svg", file("<svg/>"));
    entries.put(ODD_NAME, file("odd"));
    root = writer.directory(entries).cid();
  }

  @Test
  void aFileHasTheHeadersOfTheSpecification() {
    HttpResponse<byte[]> answer = get("/ipfs/" + root + "/hello.txt");

    Cid file = cid("hello.txt");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(text(answer)).isEqualTo("hello");
    assertHeader(answer, "Content-Type", "text/plain; charset=utf-8");
    assertHeader(answer, "Content-Length", "5");
    assertHeader(answer, "ETag", "\"" + file + "\"");
    assertHeader(answer, "Accept-Ranges", "bytes");
    assertHeader(answer, "Cache-Control", "public, max-age=29030400, immutable");
    assertHeader(answer, "X-Ipfs-Path", "/ipfs/" + root + "/hello.txt");
    assertHeader(answer, "X-Ipfs-Roots", root + "," + file);
    assertHeader(answer, "X-Content-Type-Options", "nosniff");
    assertThat(answer.headers().firstValue("Content-Security-Policy").orElse(""))
        .startsWith("sandbox")
        .doesNotContain("allow-same-origin");
    assertThat(answer.headers().firstValue("Content-Disposition")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "hello.txt, text/plain; charset=utf-8",
    "large.bin, application/octet-stream",
    "vector.svg, image/svg+xml",
    "page, text/html; charset=utf-8",
    "picture, image/gif",
    "text, text/plain; charset=utf-8",
    "empty, text/plain; charset=utf-8"
  })
  void theTypeIsToldByTheNameElseByTheFirstBytes(String name, String type) {
    assertHeader(get("/ipfs/" + root + "/" + name), "Content-Type", type);
    assertHeader(call("HEAD", "/ipfs/" + root + "/" + name, new byte[0]), "Content-Type", type);
  }

  @ParameterizedTest
  @CsvSource({
    "bytes=0-0, 0, 1",
    "bytes=99999-100000, 99999, 100001",
    "bytes=100000-600000, 100000, 600001",
    "bytes=700000-, 700000, 700001",
    "bytes=-7, 699994, 700001",
    "bytes=5-9999999, 5, 700001"
  })
  void aRangeOfAFileIsExactlyThat(String range, int from, int to) {
    HttpResponse<byte[]> answer = get("/ipfs/" + root + "/large.bin", "Range", range);

    assertThat(answer.statusCode()).isEqualTo(206);
    assertHeader(answer, "Content-Range", "bytes " + from + "-" + (to - 1) + "/700001");
    assertThat(answer.body()).isEqualTo(Arrays.copyOfRange(large, from, to));
  }

  @Test
  void conditionsAndHeadsAreHeeded() {
    String path = "/ipfs/" + root + "/large.bin";
    String tag = "\"" + cid("large.bin") + "\"";
    assertThat(get(path).body()).isEqualTo(large);
    HttpResponse<byte[]> head = call("HEAD", path, new byte[0]);
    assertHeader(head, "Content-Length", "700001");
    assertThat(head.body()).isEmpty();
    assertThat(get(path, "If-None-Match", "W/" + tag).statusCode()).isEqualTo(304);
    assertThat(get(path, "Range", "bytes=0-1", "If-Range", "\"x\"").statusCode()).isEqualTo(200);
    assertThat(get(path, "Range", "bytes=0-1", "If-Range", tag).statusCode()).isEqualTo(206);
    HttpResponse<byte[]> beyond = get(path, "Range", "bytes=700001-");
    assertThat(beyond.statusCode()).isEqualTo(416);
    assertHeader(beyond, "Content-Range", "bytes */700001");
    HttpResponse<byte[]> empty = get("/ipfs/" + root + "/empty");
    assertThat(empty.statusCode()).isEqualTo(200);
    assertHeader(empty, "Content-Length", "0");
  }

  @Test
  void namesForDownloadsAreGiven() {
    assertHeader(
        get("/ipfs/" + root + "/text?download=true"),
        "Content-Disposition",
        "attachment; filename=\"text\"");
    HttpResponse<byte[]> named = get("/ipfs/" + cid("hello.txt") + "?filename=n.json");
    assertHeader(named, "Content-Disposition", "inline; filename=\"n.json\"");
    assertHeader(named, "Content-Type", "application/json");
  }

  @Test
  void aDirectoryIsAPageOfItsNames() {
    HttpResponse<byte[]> bare = get("/ipfs/" + root + "?x=1");
    assertThat(bare.statusCode()).isEqualTo(301);
    assertHeader(bare, "Location", "/ipfs/" + root + "/?x=1");

    HttpResponse<byte[]> page = get("/ipfs/" + root + "/");

    assertThat(page.statusCode()).isEqualTo(200);
    assertHeader(page, "Content-Type", "text/html; charset=utf-8");
    assertHeader(page, "ETag", "\"DirIndex-1_CID-" + root + "\"");
    assertThat(page.headers().firstValue("Cache-Control").orElse("")).doesNotContain("immutable");
    assertThat(text(page))
        .contains("<a href=\"./hello.txt\">hello.txt</a>")
        .contains("<a href=\"./%3Cb%3E%26%27%22a%20b%23%3F.txt\">")
        .contains("&lt;b&gt;&amp;&#39;&quot;a b#?.txt</a>")
        .doesNotContain("<b>");
    assertThat(text(get("/ipfs/" + root + "/%3Cb%3E%26%27%22a%20b%23%3F.txt"))).isEqualTo("odd");
    assertThat(call("HEAD", "/ipfs/" + root + "/", new byte[0]).body()).isEmpty();
    assertThat(
            get("/ipfs/" + root + "/", "If-None-Match", "\"DirIndex-1_CID-" + root + "\"")
                .statusCode())
        .isEqualTo(304);
  }

  @Test
  void theIndexOfADirectoryStandsForIt() {
    HttpResponse<byte[]> index = get("/ipfs/" + root + "/sub/");

    assertThat(text(index)).isEqualTo("<p>index</p>");
    assertHeader(index, "Content-Type", "text/html; charset=utf-8");
    assertThat(get("/ipfs/" + root + "/sub").statusCode()).isEqualTo(301);
  }

  @Test
  void aDirectoryInShardsIsListedWholeAndALargeOneInPart() {
    TreeMap<String, UnixFsWriter.Written> many = new TreeMap<>();
    for (int i = 0; i < 10_005; i++) {
      many.put("name" + i, entries.firstEntry().getValue());
    }
    Cid shards = new UnixFsWriter(UnixFsWriter.Profile.KUBO, store::put).directory(many).cid();

    String page = text(get("/ipfs/" + shards + "/"));

    assertThat(page.split("<a href=\"./name", -1)).hasSize(10_001);
    assertThat(page).contains("and more");
    assertThat(get("/ipfs/" + shards + "/name10004").statusCode()).isEqualTo(200);
  }

  @Test
  void whatIsNotThereIsNotFoundAndWhatIsIncompleteBreaksOff() {
    assertThat(get("/ipfs/" + root + "/none").statusCode()).isEqualTo(404);
    Block third = Block.copyOf(Arrays.copyOfRange(large, 200_000, 300_000));
    assertThat(store.delete(third.cid())).isTrue();
    String path = "/ipfs/" + root + "/large.bin";

    assertThatThrownBy(() -> get(path)).isInstanceOf(UncheckedIOException.class);
    assertThat(get(path, "Range", "bytes=200000-200001").statusCode()).isEqualTo(404);
    assertThat(get(path, "Range", "bytes=300000-300001").statusCode()).isEqualTo(206);
  }

  @Test
  void aFileThatLiesAboutItsSizeIsNotBegun() {
    // UnixFS: a file, its bytes, and a size of 1000 (fields 1, 2 and 3).
    byte[] lying = {8, 2, 18, 5, 'h', 'e', 'l', 'l', 'o', 24, (byte) 0xe8, 7};
    Block block =
        Block.of(
            Multicodec.DAG_PB,
            HashFunction.SHA2_256,
            new PbNode(Optional.of(ByteBuffer.wrap(lying)), List.of()).encode());
    store.put(block);

    assertThat(get("/ipfs/" + block.cid()).statusCode()).isEqualTo(406);
    assertThat(get("/ipfs/" + block.cid(), "Range", "bytes=500-600").statusCode()).isEqualTo(406);
  }

  @Test
  void whatAClientLikesBestIsGiven() {
    String file = "/ipfs/" + root + "/hello.txt";
    for (String accept :
        List.of(
            "application/json, text/plain, */*",
            "application/json",
            "text/html,application/vnd.ipld.raw;q=0.1")) {
      assertThat(text(get(file, "Accept", accept))).as(accept).isEqualTo("hello");
    }
    HttpResponse<byte[]> raw = get(file, "Accept", "application/vnd.ipld.raw, */*;q=0.5");
    assertHeader(raw, "Content-Type", "application/vnd.ipld.raw");
    assertHeader(get(file), "Vary", "Accept");
  }

  @Test
  void partsWithoutBytesAreNotOpened() {
    Cid next = Block.copyOf(new byte[0]).cid();
    for (int level = 0; level < 6; level++) {
      List<PbNode.PbLink> links =
          java.util.Collections.nCopies(200, new PbNode.PbLink(next, "", 0));
      ByteBuffer unixFs = ByteBuffer.allocate(2 + 2 * 200);
      unixFs.put((byte) 8).put((byte) 2);
      for (int i = 0; i < 200; i++) {
        unixFs.put((byte) 32).put((byte) 0);
      }
      Block block =
          Block.of(
              Multicodec.DAG_PB,
              HashFunction.SHA2_256,
              new PbNode(Optional.of(unixFs.flip()), links).encode());
      store.put(block);
      next = block.cid();
    }

    HttpResponse<byte[]> answer = get("/ipfs/" + next);

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEmpty();
  }

  @Test
  @Timeout(60)
  void noSliceIsHeldWhenItsAnswerIsOver() throws IOException {
    String file = "/ipfs/" + file("x".repeat(100_000)).cid();
    for (String path : List.of(file, file + "?format=car")) {
      get(path);
      long before = heldBuffers();
      for (int i = 0; i < 100; i++) {
        assertThat(get(path).statusCode()).isEqualTo(200);
      }
      // Those of connections come and go.
      while (heldBuffers() > before + 50) {
        assertThat(Thread.interrupted()).as("timed out").isFalse();
      }
    }
  }

  /** Of the size of a slice, and others that are not small. */
  private static long heldBuffers() {
    return PooledByteBufAllocator.DEFAULT.metric().directArenas().stream()
        .mapToLong(PoolArenaMetric::numActiveNormalAllocations)
        .sum();
  }

  @Test
  void otherValuesAreGivenAsTheyAre() {
    Block cbor = Block.of(Multicodec.DAG_CBOR, HashFunction.SHA2_256, buffer(0xa0));
    Block json =
        Block.of(
            Multicodec.DAG_JSON, HashFunction.SHA2_256, StandardCharsets.UTF_8.encode("{\"a\":1}"));
    Block other = Block.of(0x78, HashFunction.SHA2_256, buffer(1));
    for (Block each : new Block[] {cbor, json, other}) {
      store.put(each);
    }

    HttpResponse<byte[]> answer = get("/ipfs/" + cbor.cid());
    assertThat(answer.body()).containsExactly(0xa0);
    assertHeader(answer, "Content-Type", "application/vnd.ipld.dag-cbor");
    assertHeader(get("/ipfs/" + json.cid()), "Content-Type", "application/vnd.ipld.dag-json");
    HttpResponse<byte[]> plain = get("/ipfs/" + json.cid(), "Accept", "application/json");
    assertHeader(plain, "Content-Type", "application/json");
    assertThat(text(plain)).isEqualTo("{\"a\":1}");
    assertThat(text(get("/ipfs/" + cbor.cid(), "Accept", "application/json")))
        .contains("is dag-cbor, and blocks are not converted");
    assertThat(get("/ipfs/" + json.cid() + "/a").statusCode()).isEqualTo(501);
    assertThat(get("/ipfs/" + other.cid()).statusCode()).isEqualTo(406);
    assertThat(text(get("/ipfs/bafkqacdjmrsw45djor4q"))).isEqualTo("identity");
  }

  private static ByteBuffer buffer(int oneByte) {
    return ByteBuffer.wrap(new byte[] {(byte) oneByte});
  }

  private UnixFsWriter.Written file(String content) throws IOException {
    return writer.file(new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)));
  }

  private Cid cid(String name) {
    return entries.getOrDefault(name, entries.firstEntry().getValue()).cid();
  }

  private static void assertHeader(HttpResponse<?> answer, String name, String value) {
    assertThat(answer.headers().firstValue(name)).as(name).contains(value);
  }
}
