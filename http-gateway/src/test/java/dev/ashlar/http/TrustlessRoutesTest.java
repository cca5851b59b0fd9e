package dev.ashlar.http;

import static dev.ashlar.http.NativeRoutesTest.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.TestBlocks;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The raw part of the Trustless Gateway specification, and what its conformance suite asks. */
class TrustlessRoutesTest extends GatewayFixture {

  private static final String RAW = "application/vnd.ipld.raw";

  private final Block block = TestBlocks.numbered(1, 57);
  private final String path = "/ipfs/" + block.cid();

  @BeforeEach
  void putBlock() {
    store.put(block);
  }

  @Test
  void aRawBlockHasItsHeaders() {
    HttpResponse<byte[]> response = get(path + "?format=raw");

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEqualTo(block.toByteArray());
    assertHeader(response, "Content-Type", RAW);
    assertHeader(response, "Content-Length", "57");
    assertHeader(
        response, "Content-Disposition", "attachment; filename=\"" + block.cid() + ".bin\"");
    assertHeader(response, "X-Content-Type-Options", "nosniff");
    assertHeader(response, "ETag", "\"" + block.cid() + ".raw\"");
    assertHeader(response, "Cache-Control", "public, max-age=29030400, immutable");
    assertHeader(response, "X-Ipfs-Path", path);
    assertHeader(response, "X-Ipfs-Roots", block.cid().toString());
    assertHeader(response, "Access-Control-Allow-Origin", "*");
  }

  @Test
  void acceptAsksForRawToo() {
    HttpResponse<byte[]> response = get(path, "Accept", RAW);

    assertThat(response.statusCode()).isEqualTo(200);
    assertHeader(response, "Content-Location", path + "?format=raw");
    assertThat(get(path, "Accept", "text/html, " + RAW + ";q=0.5").statusCode()).isEqualTo(200);
    assertThat(get(path, "Accept", RAW + ";q=0").statusCode()).isEqualTo(406);
  }

  @Test
  void formatIsStrongerThanAccept() {
    assertThat(get(path + "?format=raw", "Accept", "application/vnd.ipld.car").statusCode())
        .isEqualTo(200);
    assertThat(get(path + "?format=car", "Accept", RAW).headers().firstValue("Content-Type"))
        .contains("application/vnd.ipld.car; version=1; order=dfs; dups=n");
    assertProblem(get(path + "?format=dag-json"), 406, "not_acceptable");
    assertProblem(get(path + "?format=zip"), 400, "invalid_request");
  }

  @Test
  void withoutAFormatTheAnswerSaysHowToAsk() {
    for (String accept : new String[] {"*/*", "text/html", "application/zip"}) {
      HttpResponse<byte[]> response = get(path, "Accept", accept);
      assertProblem(response, 406, "not_acceptable");
      assertThat(text(response)).contains("?format=raw");
    }
    assertProblem(get(path), 406, "not_acceptable");
  }

  @Test
  void headHasTheHeadersWithoutTheBody() {
    HttpResponse<byte[]> response =
        send(request(path + "?format=raw").method("HEAD", HttpRequest.BodyPublishers.noBody()));

    assertThat(response.statusCode()).isEqualTo(200);
    assertHeader(response, "Content-Length", "57");
    assertHeader(response, "ETag", "\"" + block.cid() + ".raw\"");
    assertThat(response.body()).isEmpty();
  }

  @Test
  void conditionsAreWeakListedOrAny() {
    String tag = "\"" + block.cid() + ".raw\"";
    for (String condition : new String[] {tag, "W/" + tag, "\"a\", " + tag, "*"}) {
      HttpResponse<byte[]> response = get(path + "?format=raw", "If-None-Match", condition);
      assertThat(response.statusCode()).as(condition).isEqualTo(304);
      assertThat(response.body()).isEmpty();
      assertHeader(response, "ETag", tag);
      assertHeader(response, "Cache-Control", "public, max-age=29030400, immutable");
    }
    assertThat(get(path + "?format=raw", "If-None-Match", "\"b\"").statusCode()).isEqualTo(200);
    String absent = "/ipfs/" + TestBlocks.numbered(2, 5).cid() + "?format=raw";
    assertThat(get(absent, "If-None-Match", "*").statusCode()).isEqualTo(404);
  }

  @Test
  void aSingleRangeIsServed() {
    HttpResponse<byte[]> response = get(path + "?format=raw", "Range", "bytes=6-16");

    assertThat(response.statusCode()).isEqualTo(206);
    assertHeader(response, "Content-Range", "bytes 6-16/57");
    assertThat(response.body()).isEqualTo(java.util.Arrays.copyOfRange(block.toByteArray(), 6, 17));
    HttpResponse<byte[]> outside = get(path + "?format=raw", "Range", "bytes=57-");
    assertThat(outside.statusCode()).isEqualTo(416);
    assertHeader(outside, "Content-Range", "bytes */57");
  }

  @Test
  void onlyIfCachedNeverLooksElsewhere() {
    String absent = "/ipfs/" + TestBlocks.numbered(2, 5).cid() + "?format=raw";

    assertThat(get(absent, "Cache-Control", "only-if-cached").statusCode()).isEqualTo(412);
    assertThat(
            send(request(absent)
                    .header("Cache-Control", "only-if-cached")
                    .method("HEAD", HttpRequest.BodyPublishers.noBody()))
                .statusCode())
        .isEqualTo(412);
    assertThat(get(path + "?format=raw", "Cache-Control", "only-if-cached").statusCode())
        .isEqualTo(200);
    assertThat(get(absent).statusCode()).isEqualTo(404);
  }

  @Test
  void theProbeAndOtherIdentityCidsAreServed() {
    HttpResponse<byte[]> probe = get("/ipfs/bafkqaaa?format=raw");
    assertThat(probe.statusCode()).isEqualTo(200);
    assertThat(probe.body()).isEmpty();
    Cid hello = Cid.v1(Multicodec.RAW, Multihash.of(0, new byte[] {'h', 'i'}));
    assertThat(text(get("/ipfs/" + hello + "?format=raw"))).isEqualTo("hi");
    assertThat(
            send(request("/ipfs/bafkqaaa?format=raw")
                    .method("HEAD", HttpRequest.BodyPublishers.noBody()))
                .statusCode())
        .isEqualTo(200);
    assertProblem(get("/ipfs/f0155008101" + "00".repeat(129) + "?format=raw"), 400, "invalid_cid");
  }

  @Test
  void aFileNameIsTheCallersAndSafe() {
    assertHeader(
        get(path + "?format=raw&filename=foobar.bin"),
        "Content-Disposition",
        "attachment; filename=\"foobar.bin\"");
    assertHeader(
        get(path + "?format=raw&filename=%C3%A9%22%0d%0aX.bin"),
        "Content-Disposition",
        "attachment; filename=\"____X.bin\"; filename*=UTF-8''%C3%A9%22%0D%0AX.bin");
  }

  @Test
  void browsersOfAnyOriginMayRead() {
    HttpResponse<byte[]> preflight =
        send(request(path).method("OPTIONS", HttpRequest.BodyPublishers.noBody()));

    assertThat(preflight.statusCode()).isEqualTo(204);
    assertHeader(preflight, "Access-Control-Allow-Origin", "*");
    assertHeader(preflight, "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
    assertHeader(
        preflight,
        "Access-Control-Allow-Headers",
        "Content-Type, Range, User-Agent, X-Requested-With");
    assertThat(get("/blocks/" + block.cid()).headers().map())
        .doesNotContainKey("access-control-allow-origin");
  }

  @Test
  void otherMethodsAndPathsAreNamed() {
    HttpResponse<byte[]> post = call("POST", path, new byte[0]);
    assertThat(post.statusCode()).isEqualTo(405);
    assertHeader(post, "Allow", "GET, HEAD, OPTIONS");
    assertProblem(get(path + "/a/b?format=raw"), 404, "not_found");
    assertProblem(get("/ipfs/nonsense?format=raw"), 400, "invalid_cid");
  }

  private static void assertHeader(HttpResponse<byte[]> response, String name, String value) {
    assertThat(response.headers().firstValue(name)).as(name).contains(value);
  }
}
