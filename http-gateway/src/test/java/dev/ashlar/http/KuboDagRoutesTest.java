package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.TestBlocks;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kubo's RPC for DAGs, files and pins: what is answered, and what is refused. */
class KuboDagRoutesTest extends GatewayFixture {

  private static final String HELLO = "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o";
  private static final String ABSENT =
      "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

  @Test
  void aValueIsStoredReadInPartsAndExported() {
    String json = "{\"a\":[1,{\"/\":\"" + ABSENT + "\"}],\"b\":\"c\"}";
    JsonObject put = new JsonObject(text(upload("dag/put", "v", json)));
    String cid = put.getJsonObject("Cid").getString("/");

    assertThat(Cid.parse(cid).codec()).isEqualTo(Multicodec.DAG_CBOR);
    assertThat(text(rpc("dag/get?arg=" + cid))).isEqualTo(json);
    assertThat(text(rpc("dag/get?arg=/ipfs/" + cid + "/b"))).isEqualTo("\"c\"");
    assertThat(text(rpc("dag/get?arg=" + cid + "/a/0"))).isEqualTo("1");
    assertThat(rpc("dag/get?arg=" + cid + "/nowhere").statusCode()).isEqualTo(500);
    assertThat(rpc("dag/get?arg=" + cid + "&output-codec=dag-cbor").body())
        .isEqualTo(store.get(Cid.parse(cid)).orElseThrow().toByteArray());
    assertThat(text(rpc("refs?arg=" + cid))).contains(ABSENT);
    assertThat(text(rpc("dag/resolve?arg=" + cid + "/b")).strip())
        .isEqualTo("{\"Cid\":{\"/\":\"" + cid + "\"},\"RemPath\":\"b\"}");
  }

  @Test
  void whatIsNotWholeIsNotPinned() {
    String json = "{\"/\":\"" + ABSENT + "\"}";
    JsonObject put = new JsonObject(text(upload("dag/put", "v", "[" + json + "]")));
    String cid = put.getJsonObject("Cid").getString("/");

    HttpResponse<byte[]> pin = rpc("pin/add?arg=" + cid);

    assertThat(pin.statusCode()).isEqualTo(500);
    assertThat(new JsonObject(text(pin)).getString("Message")).contains(ABSENT);
    assertThat(text(rpc("pin/ls")).strip()).isEqualTo("{\"Keys\":{}}");
    assertThat(text(rpc("pin/add?recursive=false&arg=" + cid))).contains(cid);
    assertThat(text(rpc("pin/ls?type=direct"))).contains(cid);
  }

  @Test
  void filesAreAddedAsKuboDoesItAndReadBack() {
    String added = text(upload("add", "hello.txt", "hello world\n"));
    assertThat(new JsonObject(added).getString("Hash")).isEqualTo(HELLO);
    assertThat(text(rpc("cat?arg=" + HELLO))).isEqualTo("hello world\n");
    assertThat(text(rpc("cat?offset=6&length=5&arg=" + HELLO))).isEqualTo("world");
    assertThat(text(rpc("cat?offset=100&arg=" + HELLO))).isEmpty();
    String directory =
        text(upload("add?cid-version=1&pin=false", "dir%2Fhello.txt", "hello world\n"));
    String root = new JsonObject(directory.lines().toList().get(1)).getString("Hash");
    assertThat(text(rpc("cat?arg=" + root + "/hello.txt"))).isEqualTo("hello world\n");
    assertThat(rpc("cat?arg=" + root).statusCode()).isEqualTo(500);
    JsonObject listed = new JsonObject(text(rpc("ls?arg=" + root)));
    JsonObject entry =
        listed.getJsonArray("Objects").getJsonObject(0).getJsonArray("Links").getJsonObject(0);
    assertThat(entry.getString("Name")).isEqualTo("hello.txt");
    assertThat(entry.getInteger("Size")).isEqualTo(12);
    assertThat(entry.getInteger("Type")).isEqualTo(2);
  }

  @Test
  void whatIsPinnedThroughAnotherIsNotRemoved() {
    String root =
        new JsonObject(
                text(upload("add?cid-version=1", "d%2Fhello.txt", "hello world\n"))
                    .lines()
                    .toList()
                    .get(1))
            .getString("Hash");
    String leaf = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4";

    assertThat(text(rpc("block/rm?arg=" + leaf))).contains("pinned: via " + root);
    assertThat(text(rpc("pin/ls?arg=" + leaf))).contains("indirect through " + root);
    assertThat(text(rpc("pin/rm?arg=" + root))).contains(root);
    assertThat(text(rpc("repo/gc"))).isEmpty();
    assertThat(text(rpc("repo/gc?grace=0")).lines()).hasSize(2);
    assertThat(store.statistics().blocks()).isZero();
  }

  @Test
  void singleBlocksAreFoundByTheirPaths() {
    String added = text(upload("add?cid-version=1", "d%2Fhello.txt", "hello world\n"));
    String root = new JsonObject(added.lines().toList().get(1)).getString("Hash");
    String leaf = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4";

    assertThat(text(rpc("block/get?arg=" + root + "/hello.txt"))).isEqualTo("hello world\n");
    assertThat(new JsonObject(text(rpc("block/stat?arg=/ipfs/" + root + "/hello.txt"))))
        .isEqualTo(new JsonObject().put("Key", leaf).put("Size", 12));
    assertThat(rpc("block/get?arg=" + root + "/nowhere").statusCode()).isEqualTo(500);
    assertThat(text(rpc("block/stat?arg=/ipns/name"))).contains("IPNS");
  }

  @Test
  void aLeafThatIsMissingFailsAListingOfAllReferences() {
    String link = "[{\"/\":\"" + ABSENT + "\"}]";
    JsonObject put = new JsonObject(text(upload("dag/put", "v", link)));
    String refs = "refs?arg=" + put.getJsonObject("Cid").getString("/");

    assertThat(text(rpc(refs))).contains(ABSENT);
    HttpResponse<byte[]> all = rpc(refs + "&recursive=true");

    assertThat(all.statusCode()).isEqualTo(500);
    assertThat(new JsonObject(text(all)).getString("Message"))
        .contains("block was not found")
        .contains(ABSENT);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dag/get",
        "dag/get?arg=no",
        "dag/get?arg=" + HELLO + "&arg=" + HELLO,
        "dag/get?arg=" + HELLO + "&output-codec=git-raw",
        "cat",
        "cat?arg=" + HELLO + "&offset=-1",
        "cat?arg=" + HELLO + "&length=x",
        "ls?arg=%2F%2F",
        "pin/ls?type=none",
        "pin/update?arg=" + HELLO,
        "pin/add?arg=" + HELLO + "&recursive=perhaps",
        "pin/verify?verbose=true&quiet=true",
        "refs?arg=" + HELLO + "&max-depth=x",
        "repo/gc?grace=100000000",
        "dag/put",
        "dag/import",
        "add"
      })
  void argumentsThatAreWrongAreRefusedAsText(String command) {
    HttpResponse<byte[]> answer = rpc(command);

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.headers().firstValue("Content-Type").orElse("")).startsWith("text/plain");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "add?chunker=rabin",
        "add?chunker=size-0",
        "add?chunker=size-99999999",
        "add?cid-version=2",
        "add?trickle=true",
        "add?profile=none",
        "add?max-file-links=1",
        "dag/put?store-codec=none",
        "dag/put?hash=none"
      })
  void optionsThatAreWrongStoreNothing(String command) {
    assertThat(upload(command, "f", "x").statusCode()).isEqualTo(400);
    assertThat(store.statistics().blocks()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"..%2Fup", "a%2F..%2F..%2Fb", ".", "a%00b"})
  void namesThatLeadElsewhereAreRefused(String name) {
    assertThat(upload("add", name, "x").statusCode()).isEqualTo(400);
  }

  @Test
  void aCarThatIsNoneIsAFailureAndAnEmptyPinListIsNone() {
    assertThat(upload("dag/import", "f", "no car").statusCode()).isEqualTo(500);
    Block block = TestBlocks.numbered(1, 100);
    store.put(block);
    assertThat(text(rpc("pin/rm?arg=" + block.cid()))).contains("not pinned");
    assertThat(List.of(400, 500)).contains(rpc("dag/export?arg=" + ABSENT).statusCode());
  }

  @Test
  void manyFilesOfOneRequestAreAllTaken() {
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    for (int i = 0; i < 600; i++) {
      part(form, "; filename=\"d/" + i + "\"", "content " + i);
    }

    HttpResponse<byte[]> answer = post("add", end(form));

    List<JsonObject> lines = text(answer).lines().map(JsonObject::new).toList();
    assertThat(lines).hasSize(601);
    assertThat(lines.get(600).getString("Name")).isEqualTo("d");
    String root = lines.get(600).getString("Hash");
    assertThat(text(rpc("cat?arg=" + root + "/599"))).isEqualTo("content 599");
    assertThat(text(rpc("pin/ls?type=recursive"))).contains(root);
  }

  @Test
  void bytesThatLookLikeABoundaryAreContent() {
    StringBuilder content = new StringBuilder("--c");
    for (int i = 0; content.length() < 300_000; i++) {
      content.append("\r\n--").append("c".repeat(i % 71)).append("\r\n-\r\r\n--").append(i);
    }

    JsonObject added = new JsonObject(text(upload("add", "f", content.toString())));

    assertThat(text(rpc("cat?arg=" + added.getString("Hash")))).isEqualTo(content.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"add", "block/put"})
  void whereverABodyIsSplitItsPartsAreWhatTheyAre(String command) throws IOException {
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    part(form, "; filename=\"a\"", "one\r");
    part(form, "; filename=\"b\"", "\r\n--two");
    byte[] body = end(form);
    String whole = text(post(command, body));
    assertThat(whole.lines()).hasSize(2);
    String head =
        "POST /api/v0/"
            + command
            + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            + "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int at = 1; at < body.length; at++) {
      String latin = new String(body, StandardCharsets.ISO_8859_1);
      String answer =
          raw(head + chunk(latin.substring(0, at)) + chunk(latin.substring(at)) + chunk(""));
      for (String line : whole.lines().toList()) {
        assertThat(answer).as("split at %d", at).contains(line);
      }
    }
  }

  private static String chunk(String bytes) {
    return Integer.toHexString(bytes.length()) + "\r\n" + bytes + "\r\n";
  }

  @Test
  void namesThatAreNotEncodedAreTakenAsTheyAre() {
    JsonObject added = new JsonObject(text(upload("add", "100%.txt", "x")));
    assertThat(added.getString("Name")).isEqualTo("100%.txt");
    assertThat(new JsonObject(text(upload("add", "%FF", "x"))).getString("Name")).isEqualTo("%FF");
    assertThat(new JsonObject(text(upload("add", "a%20b", "x"))).getString("Name"))
        .isEqualTo("a b");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "multipart/form-data; charset=utf-8; foo=bar; boundary=b",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"b"
      })
  void typesThatAreOddAreNotTheServersFault(String type) {
    HttpResponse<byte[]> answer =
        call("POST", "/api/v0/add", end(new ByteArrayOutputStream()), "Content-Type", type);

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(text(answer)).containsAnyOf("boundary", "is malformed: see RFC 7578", "is required");
  }

  @Test
  void anErrorWithControlCharactersEndsTheAnswer() {
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    part(form, "; filename=\"good\"", "x");
    part(form, "; filename=\"../%01\"", "x");

    assertThat(text(post("add", end(form))).lines()).hasSize(1);
  }

  @Test
  void aPartWithoutAFileNameIsAFileCalledByItsCid() {
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    part(form, "", "hello");

    JsonObject added = new JsonObject(text(post("add", end(form))));

    assertThat(added.getString("Name")).isEqualTo(added.getString("Hash"));
    assertThat(text(rpc("cat?arg=" + added.getString("Hash")))).isEqualTo("hello");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nhell",
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n",
        "--b\r\nContent-Disposition: form-da",
        "--b\r\n\r\n\r\n--b--\r\n",
        "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nx\r\n--x--\r\n",
        "",
        "nonsense"
      })
  void aBodyThatIsCutShortOrNonsenseIsRefusedAtOnce(String body) {
    HttpResponse<byte[]> answer = post("add", body.getBytes(StandardCharsets.UTF_8));

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(text(rpc("pin/ls"))).contains("{\"Keys\":{}}");
  }

  @Test
  void aPartWithEndlessHeadersIsRefused() {
    String head = "--b\r\nContent-Disposition: form-data; name=\"" + "n".repeat(3_000_000);

    HttpResponse<byte[]> answer = post("add", head.getBytes(StandardCharsets.UTF_8));

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(text(answer)).isEqualTo("the header of a part has more than 16384 bytes");
  }

  @Test
  void twoFilesOfOneNameAreAnErrorAndNothingIsPinned() {
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    part(form, "; filename=\"a\"", "one");
    part(form, "; filename=\"a\"", "two");

    // The first file has been told by then: the error is in a trailer.
    assertThat(text(post("add", end(form))).lines()).hasSize(1);

    assertThat(text(rpc("pin/ls"))).contains("{\"Keys\":{}}");
  }

  private HttpResponse<byte[]> rpc(String command) {
    return call("POST", "/api/v0/" + command, new byte[0]);
  }

  private HttpResponse<byte[]> upload(String command, String name, String content) {
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    part(form, "; filename=\"" + name + "\"", content);
    return post(command, end(form));
  }

  private HttpResponse<byte[]> post(String command, byte[] form) {
    return call(
        "POST", "/api/v0/" + command, form, "Content-Type", "multipart/form-data; boundary=b");
  }

  private static void part(ByteArrayOutputStream form, String fileName, String content) {
    String head =
        "--b\r\nContent-Disposition: form-data; name=\"file\""
            + fileName
            + "\r\nContent-Type: application/octet-stream\r\n\r\n";
    form.writeBytes((head + content + "\r\n").getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] end(ByteArrayOutputStream form) {
    form.writeBytes("--b--\r\n".getBytes(StandardCharsets.UTF_8));
    return form.toByteArray();
  }
}
