package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.TestBlocks;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class KuboRoutesTest extends GatewayFixture {

  private final Block block = TestBlocks.numbered(1, 5000);

  @Test
  void blocksArePutGotStatedAndRemoved() {
    HttpResponse<byte[]> put = put("", block.toByteArray());
    assertThat(put.statusCode()).as(text(put)).isEqualTo(200);
    assertThat(new JsonObject(text(put)))
        .isEqualTo(new JsonObject().put("Key", block.cid().toString()).put("Size", 5000));

    assertThat(rpc("block/get?arg=" + block.cid()).body()).isEqualTo(block.toByteArray());
    assertThat(rpc("block/get?arg=/ipfs/" + block.cid()).body()).isEqualTo(block.toByteArray());
    assertThat(new JsonObject(text(rpc("block/stat?arg=" + block.cid()))).getInteger("Size"))
        .isEqualTo(5000);
    assertThat(new JsonObject(text(rpc("block/rm?arg=" + block.cid()))))
        .isEqualTo(new JsonObject().put("Hash", block.cid().toString()));
    assertThat(new JsonObject(text(rpc("block/rm?arg=" + block.cid()))).getString("Error"))
        .contains("could not find");
    assertThat(new JsonObject(text(rpc("block/rm?force=true&arg=" + block.cid()))).size())
        .isEqualTo(1);
    HttpResponse<byte[]> absent = rpc("block/get?arg=" + block.cid());
    assertThat(absent.statusCode()).isEqualTo(500);
    assertThat(new JsonObject(text(absent)).getString("Type")).isEqualTo("error");
  }

  @Test
  void formatsAndHashesAreKubos() {
    assertThat(key("?format=v0")).startsWith("Qm");
    assertThat(Cid.parse(key("?format=protobuf")).codec()).isEqualTo(Multicodec.DAG_PB);
    assertThat(Cid.parse(key("?cid-codec=dag-cbor")).codec()).isEqualTo(Multicodec.DAG_CBOR);
    assertThat(Cid.parse(key("?mhtype=sha2-512")).multihash().code()).isEqualTo(0x13);
    assertThat(put("?format=v0&cid-codec=dag-cbor", new byte[1]).statusCode()).isEqualTo(400);
    Cid pinned = Cid.parse(key("?pin=true"));
    assertThat(text(call("POST", "/api/v0/pin/ls?type=recursive", new byte[0])))
        .contains(pinned.toString());
  }

  @Test
  void manyFilesAreAnsweredInTheirOrder() {
    List<Block> blocks = TestBlocks.many(1, 5, 1000);
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    blocks.forEach(each -> part(form, each.toByteArray()));
    end(form);

    HttpResponse<byte[]> response =
        call("POST", "/api/v0/block/put", form.toByteArray(), "Content-Type", FORM);

    assertThat(text(response).lines().map(line -> new JsonObject(line).getString("Key")))
        .containsExactlyElementsOf(blocks.stream().map(b -> b.cid().toString()).toList());
  }

  @Test
  void largeFilesAreTakenWholeHoweverTheyArrive() {
    for (int i = 0; i < 20; i++) {
      byte[] bytes = TestBlocks.numbered(i, BLOCK_BYTES_MAX - i).toByteArray();
      HttpResponse<byte[]> response = put("", bytes);
      assertThat(response.statusCode()).as(text(response)).isEqualTo(200);
      assertThat(new JsonObject(text(response)).getInteger("Size")).isEqualTo(bytes.length);
    }
  }

  @Test
  void anOversizeFileIsRefusedAndNotStored() {
    HttpResponse<byte[]> response = put("", new byte[BLOCK_BYTES_MAX + 1]);

    assertThat(response.statusCode()).isBetween(400, 500);
    assertThat(text(response)).contains("larger than the limit");
    assertThat(store.statistics().blocks()).isZero();
  }

  @Test
  void refsLocalListsEveryBlockAsRaw() {
    store.put(Block.verified(Cid.v0(block.cid().multihash()), block.bytes()));
    store.putAll(TestBlocks.many(10, 2500, 10));

    List<String> lines = text(rpc("refs/local")).lines().toList();

    assertThat(lines).hasSize(2501).contains("{\"Ref\":\"" + block.cid() + "\",\"Err\":\"\"}");
  }

  @Test
  void versionIdAndRepoStatAnswer() {
    assertThat(new JsonObject(text(rpc("version"))).getString("Commit")).isEqualTo("ashlar/test");
    assertThat(new JsonObject(text(rpc("id"))).getString("ID")).startsWith("12D3KooW");
    store.put(block);
    assertThat(new JsonObject(text(rpc("repo/stat"))).getLong("NumObjects")).isEqualTo(1);
  }

  @Test
  void onlyPostIsTakenAndUnknownCommandsAreNotFound() {
    HttpResponse<byte[]> get = get("/api/v0/version");
    assertThat(get.statusCode()).isEqualTo(405);
    assertThat(get.headers().firstValue("Allow")).contains("OPTIONS, POST");
    assertThat(rpc("mfs/ls").statusCode()).isEqualTo(404);
    assertThat(rpc("block/get").statusCode()).isEqualTo(400);
    assertThat(rpc("block/get?arg=x").statusCode()).isEqualTo(400);
    assertThat(rpc("block/put").statusCode()).isEqualTo(400);
  }

  private static final String FORM = "multipart/form-data; boundary=edge";

  private String key(String query) {
    HttpResponse<byte[]> response = put(query, block.toByteArray());
    assertThat(response.statusCode()).as(text(response)).isEqualTo(200);
    return new JsonObject(text(response)).getString("Key");
  }

  private HttpResponse<byte[]> rpc(String command) {
    return call("POST", "/api/v0/" + command, new byte[0]);
  }

  private HttpResponse<byte[]> put(String query, byte[] bytes) {
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    part(form, bytes);
    end(form);
    return call("POST", "/api/v0/block/put" + query, form.toByteArray(), "Content-Type", FORM);
  }

  private static void part(ByteArrayOutputStream form, byte[] bytes) {
    String head =
        "--edge\r\nContent-Disposition: form-data; name=\"data\"; filename=\"blob\"\r\n"
            + "Content-Type: application/octet-stream\r\n\r\n";
    form.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
    form.writeBytes(bytes);
    form.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
  }

  private static void end(ByteArrayOutputStream form) {
    form.writeBytes("--edge--\r\n".getBytes(StandardCharsets.US_ASCII));
  }
}
