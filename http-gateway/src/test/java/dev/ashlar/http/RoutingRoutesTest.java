package dev.ashlar.http;

import static dev.ashlar.http.NativeRoutesTest.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.TestBlocks;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RoutingRoutesTest extends GatewayFixture {

  private final Block block = TestBlocks.numbered(1, 100);
  private final String path = "/routing/v1/providers/" + block.cid();

  @BeforeEach
  void putBlock() {
    store.put(block);
  }

  @Test
  void whoHasABlockIsThisServer() {
    HttpResponse<byte[]> response = get(path);

    assertThat(response.statusCode()).isEqualTo(200);
    JsonArray providers = new JsonObject(text(response)).getJsonArray("Providers");
    assertThat(providers).hasSize(1);
    JsonObject provider = providers.getJsonObject(0);
    assertThat(provider.getString("Schema")).isEqualTo("peer");
    assertThat(provider.getString("ID")).startsWith("12D3Koo");
    assertThat(provider.getJsonArray("Protocols")).containsExactly("transport-ipfs-gateway-http");
    assertThat(provider.getJsonArray("Addrs"))
        .containsExactly("/ip4/127.0.0.1/tcp/" + gateway().port() + "/http");
    assertThat(response.headers().firstValue("Content-Type")).contains("application/json");
    assertThat(response.headers().firstValue("Vary")).contains("Accept");
    assertThat(response.headers().firstValue("Last-Modified")).isPresent();
    assertThat(response.headers().firstValue("Cache-Control").orElseThrow())
        .startsWith("public, max-age=300");
    assertThat(response.headers().firstValue("Access-Control-Allow-Origin")).contains("*");
  }

  @Test
  void linesAreSentToWhoAsksForThem() {
    HttpResponse<byte[]> response = get(path, "Accept", "application/x-ndjson");

    assertThat(response.headers().firstValue("Content-Type")).contains("application/x-ndjson");
    assertThat(text(response).lines().map(JsonObject::new))
        .hasSize(1)
        .allMatch(record -> record.getString("Schema").equals("peer"));
  }

  @Test
  void nobodyIsAnEmptyListForAShortWhile() {
    String absent = "/routing/v1/providers/" + TestBlocks.numbered(2, 100).cid();

    assertThat(new JsonObject(text(get(absent))).getJsonArray("Providers")).isEmpty();
    assertThat(get(absent).headers().firstValue("Cache-Control").orElseThrow())
        .startsWith("public, max-age=15");
    assertThat(text(get(absent, "Accept", "application/x-ndjson"))).isEmpty();
  }

  @Test
  void filtersAreHeeded() {
    for (String passes :
        List.of(
            "filter-protocols=transport-ipfs-gateway-http",
            "filter-protocols=transport-bitswap,transport-ipfs-gateway-http",
            "filter-addrs=https,tcp,webrtc",
            "filter-addrs=!tls",
            "filter-addrs=")) {
      assertThat(providers(passes)).as(passes).hasSize(1);
    }
    for (String fails :
        List.of(
            "filter-protocols=transport-bitswap",
            "filter-addrs=webrtc",
            "filter-addrs=tcp,!http",
            "filter-addrs=unknown")) {
      assertThat(providers(fails)).as(fails).isEmpty();
    }
  }

  @Test
  void whatIsNoCidAndWhatIsNotServedIsSaid() {
    assertProblem(get("/routing/v1/providers/nonsense"), 422, "invalid_key");
    assertProblem(get("/routing/v1/peers/12D3KooW"), 501, "not_implemented");
    assertProblem(get("/routing/v1/ipns/k51"), 501, "not_implemented");
    assertProblem(get("/routing/v1/other"), 400, "invalid_request");
    assertThat(call("POST", path, new byte[0]).statusCode()).isEqualTo(405);
    assertThat(call("OPTIONS", path, new byte[0]).statusCode()).isEqualTo(204);
  }

  @Test
  void aPublicAddressIsToldInsteadOfTheOneThatWasUsed() {
    Gateway other =
        start(
            store,
            options -> options.reachedAt(Optional.of(URI.create("https://blocks.example/"))));
    try {
      HttpResponse<byte[]> response =
          send(
              java.net.http.HttpRequest.newBuilder(
                  URI.create("http://127.0.0.1:" + other.port() + path)));
      assertThat(text(response)).contains("/dns/blocks.example/tcp/443/tls/http");
    } finally {
      await(other.stop(java.time.Duration.ofSeconds(5)));
    }
  }

  private JsonArray providers(String query) {
    return new JsonObject(text(get(path + "?" + query))).getJsonArray("Providers");
  }
}
