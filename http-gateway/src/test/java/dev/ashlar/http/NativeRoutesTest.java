package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.TestBlocks;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientAgent;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class NativeRoutesTest extends GatewayFixture {

  private final Block block = TestBlocks.numbered(1, 5000);

  @Test
  void aPostedBlockIsNamedAndComesBack() {
    HttpResponse<byte[]> created = call("POST", "/blocks", block.toByteArray());
    HttpResponse<byte[]> again = call("POST", "/blocks", block.toByteArray());

    assertThat(created.statusCode()).isEqualTo(201);
    assertThat(created.headers().firstValue("Location")).contains("/blocks/" + block.cid());
    assertThat(new JsonObject(text(created)))
        .isEqualTo(
            new JsonObject().put("cid", block.cid().toString()).put("size", 5000).put("new", true));
    assertThat(again.statusCode()).isEqualTo(200);
    assertThat(new JsonObject(text(again)).getBoolean("new")).isFalse();
    HttpResponse<byte[]> got = get("/blocks/" + block.cid());
    assertThat(got.statusCode()).isEqualTo(200);
    assertThat(got.body()).isEqualTo(block.toByteArray());
    assertThat(get("/blocks/" + Cid.v0(block.cid().multihash())).body())
        .isEqualTo(block.toByteArray());
  }

  @Test
  void codecAndHashAreTheCallers() {
    HttpResponse<byte[]> response =
        call("POST", "/blocks?codec=dag-cbor&hash=blake2b-256", new byte[] {1});

    Cid cid = Cid.parse(new JsonObject(text(response)).getString("cid"));
    assertThat(cid.codec()).isEqualTo(Multicodec.DAG_CBOR);
    assertThat(cid.multihash().code()).isEqualTo(0xb220);
  }

  @Test
  void aBlockPutUnderItsCidIsVerified() {
    assertThat(call("PUT", "/blocks/" + block.cid(), block.toByteArray()).statusCode())
        .isEqualTo(201);
    assertProblem(call("PUT", "/blocks/" + block.cid(), new byte[] {1}), 422, "hash_mismatch");
    assertProblem(call("PUT", "/blocks/nonsense", new byte[] {1}), 400, "invalid_cid");
    // shake-256: a CID that is well formed and that nobody here can verify.
    assertProblem(
        call("PUT", "/blocks/f01551920" + "00".repeat(32), new byte[] {1}),
        422,
        "unsupported_hash");
    assertProblem(call("POST", "/blocks?hash=md5", new byte[] {1}), 422, "unsupported_hash");
    assertProblem(call("POST", "/blocks?codec=nope", new byte[] {1}), 400, "invalid_request");
  }

  @Test
  void aBlockOverTheLimitIsRefusedWithAndWithoutALength() {
    byte[] tooLarge = new byte[BLOCK_BYTES_MAX + 1];

    assertProblem(call("POST", "/blocks", tooLarge), 413, "too_large");
    HttpResponse<byte[]> chunked =
        send(
            request("/blocks")
                .POST(
                    HttpRequest.BodyPublishers.ofInputStream(
                        () -> new java.io.ByteArrayInputStream(tooLarge))));
    assertProblem(chunked, 413, "too_large");
    assertThat(store.statistics().blocks()).isZero();
    assertThat(call("POST", "/blocks", new byte[BLOCK_BYTES_MAX]).statusCode()).isEqualTo(201);
  }

  @Test
  void absentBlocksAreNotFoundAndDeletesSayWhatTheyDid() {
    assertProblem(get("/blocks/" + block.cid()), 404, "not_found");
    assertThat(
            send(request("/blocks/" + block.cid())
                    .method("HEAD", HttpRequest.BodyPublishers.noBody()))
                .statusCode())
        .isEqualTo(404);
    store.put(block);

    HttpResponse<byte[]> head =
        send(request("/blocks/" + block.cid()).method("HEAD", HttpRequest.BodyPublishers.noBody()));
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.headers().firstValue("Content-Length")).contains("5000");
    assertThat(deleted()).isTrue();
    assertThat(deleted()).isFalse();
  }

  @Test
  void aListingIsPagedInLines() {
    for (Block each : TestBlocks.many(10, 25, 10)) {
      store.put(each);
    }
    List<String> seen = new ArrayList<>();
    String cursor = "";
    while (cursor != null) {
      HttpResponse<byte[]> page = get("/blocks?limit=10&cursor=" + cursor);
      assertThat(page.headers().firstValue("Content-Type")).contains("application/x-ndjson");
      cursor = null;
      for (String line : text(page).lines().toList()) {
        JsonObject json = new JsonObject(line);
        if (json.containsKey("next")) {
          cursor = json.getString("next");
        } else {
          seen.add(json.getString("cid"));
          assertThat(json.getInteger("size")).isEqualTo(10);
        }
      }
    }
    assertThat(seen).hasSize(25).doesNotHaveDuplicates();
    assertProblem(get("/blocks?limit=0"), 400, "invalid_request");
    assertProblem(get("/blocks?limit=1&limit=2"), 400, "invalid_request");
    assertProblem(get("/blocks?cursor=!!"), 400, "invalid_request");
  }

  @Test
  void statisticsAndHealthAreThere() {
    store.put(block);

    assertThat(new JsonObject(text(get("/stats"))).getLong("bytes")).isEqualTo(5000);
    assertThat(get("/livez").statusCode()).isEqualTo(200);
    assertThat(get("/readyz").statusCode()).isEqualTo(200);
    unready = List.of("the disk is full");
    assertThat(get("/readyz").statusCode()).isEqualTo(503);
    assertThat(text(get("/readyz"))).contains("the disk is full");
  }

  @Test
  void rangesAndConditionsOfABlockAreHonoured() {
    store.put(block);
    String path = "/blocks/" + block.cid();

    HttpResponse<byte[]> part = get(path, "Range", "bytes=10-19");
    assertThat(part.statusCode()).isEqualTo(206);
    assertThat(part.headers().firstValue("Content-Range")).contains("bytes 10-19/5000");
    assertThat(part.body()).isEqualTo(java.util.Arrays.copyOfRange(block.toByteArray(), 10, 20));
    assertThat(get(path, "Range", "bytes=-1").body()).hasSize(1);
    assertThat(get(path, "Range", "bytes=4990-").body()).hasSize(10);
    assertThat(get(path, "Range", "bytes=0-1,3-4").statusCode()).isEqualTo(200);
    assertThat(get(path, "Range", "bytes=9-1").statusCode()).isEqualTo(200);
    assertProblem(get(path, "Range", "bytes=5000-"), 416, "range_not_satisfiable");
    String tag = get(path).headers().firstValue("ETag").orElseThrow();
    assertThat(get(path, "If-None-Match", tag).statusCode()).isEqualTo(304);
    assertThat(get(path, "If-Range", tag, "Range", "bytes=0-0").statusCode()).isEqualTo(206);
    assertThat(get(path, "If-Range", "\"x\"", "Range", "bytes=0-0").statusCode()).isEqualTo(200);
  }

  @Test
  void compressedBodiesAreNotTaken() {
    assertProblem(
        call("POST", "/blocks", new byte[] {1}, "Content-Encoding", "gzip"),
        415,
        "unsupported_media_type");
  }

  @Test
  void aClientMayAskBeforeItSends() {
    HttpResponse<byte[]> response =
        send(
            request("/blocks")
                .version(HttpClient.Version.HTTP_1_1)
                .expectContinue(true)
                .POST(HttpRequest.BodyPublishers.ofByteArray(block.toByteArray())));

    assertThat(response.statusCode()).isEqualTo(201);
  }

  @Test
  void http2IsSpokenByPriorKnowledge() {
    Vertx vertx = Vertx.vertx();
    try {
      HttpClientAgent http2 =
          vertx.createHttpClient(
              new HttpClientOptions()
                  .setProtocolVersion(HttpVersion.HTTP_2)
                  .setHttp2ClearTextUpgrade(false));
      RequestOptions post =
          new RequestOptions().setAbsoluteURI(uri("/blocks").toString()).setMethod(HttpMethod.POST);
      int status =
          await(
              http2
                  .request(post)
                  .compose(r -> r.send(Buffer.buffer(block.toByteArray())))
                  .map(HttpClientResponse::statusCode));
      RequestOptions get =
          new RequestOptions().setAbsoluteURI(uri("/blocks/" + block.cid()).toString());
      Buffer body =
          await(http2.request(get).compose(r -> r.send()).compose(HttpClientResponse::body));

      assertThat(status).isEqualTo(201);
      assertThat(body.getBytes()).isEqualTo(block.toByteArray());
    } finally {
      await(vertx.close());
    }
  }

  @Test
  void unknownPathsAndMethodsAreProblems() {
    assertProblem(get("/nowhere"), 404, "not_found");
    assertProblem(call("PATCH", "/blocks", new byte[0]), 405, "method_not_allowed");
    assertProblem(get("/blocks/%2e%2e%2fstats"), 400, "invalid_cid");
  }

  private boolean deleted() {
    HttpResponse<byte[]> response = call("DELETE", "/blocks/" + block.cid(), new byte[0]);
    assertThat(response.statusCode()).isEqualTo(200);
    return new JsonObject(text(response)).getBoolean("deleted");
  }

  static void assertProblem(HttpResponse<byte[]> response, int status, String code) {
    assertThat(response.statusCode()).as(text(response)).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
    assertThat(new JsonObject(text(response)).getString("code")).isEqualTo(code);
  }
}
