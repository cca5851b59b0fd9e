package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.car.CarLimits;
import dev.ashlar.block.car.CarReader;
import dev.ashlar.block.car.CarWriter;
import dev.ashlar.block.ipld.PbNode;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Pins, references, collection, the feed, and many blocks at once. */
class RootRoutesTest extends GatewayFixture {

  private static final String[] CAR = {"Content-Type", "application/vnd.ipld.car"};

  private final Block leaf = TestBlocks.numbered(1, 100);
  private final Block missing = TestBlocks.numbered(2, 100);
  private final Block garbage = TestBlocks.numbered(3, 100);

  @Test
  void aPinTellsWhatIsMissingAndStays() {
    Block parent = parent(leaf.cid(), missing.cid());
    store.putAll(List.of(leaf, parent));

    HttpResponse<byte[]> put = ask("PUT", "/pins/" + parent.cid() + "?name=a", "");

    assertThat(put.statusCode()).isEqualTo(201);
    JsonObject told = new JsonObject(text(put));
    assertThat(told.getInteger("missingCount")).isEqualTo(1);
    assertThat(told.getJsonArray("missing").getString(0)).isEqualTo(missing.cid().toString());
    assertThat(lines("/pins")).hasSize(1);
    assertThat(ask("PUT", "/pins/" + parent.cid() + "?name=a", "").statusCode()).isEqualTo(200);
    assertThat(ask("PUT", "/pins/" + parent.cid() + "?mode=direct", "").statusCode())
        .isEqualTo(409);
    assertThat(removed(ask("DELETE", "/pins/" + parent.cid(), ""))).isTrue();
    assertThat(get("/pins/" + parent.cid()).statusCode()).isEqualTo(404);
  }

  @Test
  void aReferenceChangesOnlyIfItIsAsExpected() {
    String name = "/refs/team/head%20one";
    assertThat(ask("PUT", name + "?cid=" + leaf.cid() + "&expected=none", "").statusCode())
        .isEqualTo(200);
    assertThat(ask("PUT", name + "?cid=" + garbage.cid() + "&expected=none", "").statusCode())
        .isEqualTo(409);
    HttpResponse<byte[]> moved =
        ask("PUT", name + "?cid=" + garbage.cid() + "&expected=" + leaf.cid(), "");
    assertThat(moved.statusCode()).isEqualTo(200);
    assertThat(new JsonObject(text(get(name))).getString("cid"))
        .isEqualTo(garbage.cid().toString());
    assertThat(lines("/refs?prefix=team/")).hasSize(1);
    assertThat(lines("/refs?prefix=other/")).isEmpty();
    assertThat(ask("DELETE", name + "?expected=" + leaf.cid(), "").statusCode()).isEqualTo(409);
    assertThat(removed(ask("DELETE", name, ""))).isTrue();
    assertThat(removed(ask("DELETE", name, ""))).isFalse();
    assertThat(ask("DELETE", name + "?expected=" + leaf.cid(), "").statusCode()).isEqualTo(409);
    assertThat(get(name).statusCode()).isEqualTo(404);
    assertThat(ask("PUT", "/refs/%ff?cid=" + leaf.cid(), "").statusCode()).isEqualTo(400);
    assertThat(ask("PUT", "//refs/x?cid=" + leaf.cid(), "").statusCode()).isEqualTo(400);
    assertThat(ask("PUT", "/refs?cid=" + leaf.cid(), "").statusCode()).isBetween(400, 405);
    assertThat(ask("PUT", "/refs/%00?cid=" + leaf.cid(), "").statusCode()).isEqualTo(400);
    assertThat(ask("PUT", "/refs/" + "n".repeat(256) + "?cid=" + leaf.cid(), "").statusCode())
        .isEqualTo(400);
  }

  @Test
  void collectionDeletesWhatNothingLeadsToAndLeavesWhatIsYoung() {
    Block parent = parent(leaf.cid());
    store.putAll(List.of(leaf, parent, garbage));
    ask("PUT", "/refs/r?cid=" + parent.cid(), "");

    assertThat(text(ask("POST", "/gc", ""))).doesNotContain("\"deleted\":\"");
    String collected = text(ask("POST", "/gc?grace=0", ""));

    assertThat(collected).contains("{\"deleted\":\"" + garbage.cid() + "\"}");
    assertThat(store.has(garbage.cid())).isFalse();
    assertThat(store.has(leaf.cid())).isTrue();
    assertThat(store.has(parent.cid())).isTrue();
    assertThat(ask("POST", "/gc?grace=-1", "").statusCode()).isEqualTo(400);
  }

  @Test
  void aPinThatIsRefusedIsNotLeftBehind() {
    Block deep = leaf;
    store.put(deep);
    for (int i = 0; i < 4100; i++) {
      deep = parent(deep.cid());
      store.put(deep);
    }

    assertThat(ask("PUT", "/pins/" + deep.cid(), "").statusCode()).isEqualTo(400);

    assertThat(get("/pins/" + deep.cid()).statusCode()).isEqualTo(404);
    assertThat(text(ask("POST", "/gc?grace=0", ""))).contains("\"result\"");
  }

  @Test
  void aBlockThatAReferenceKeepsIsNotRemovedByTheRpc() {
    Block parent = parent(leaf.cid());
    store.putAll(List.of(leaf, parent, garbage));
    ask("PUT", "/refs/team/head?cid=" + parent.cid(), "");

    String answer =
        text(ask("POST", "/api/v0/block/rm?arg=" + leaf.cid() + "&arg=" + garbage.cid(), ""));

    assertThat(answer).contains("kept by reference team/head");
    assertThat(store.has(leaf.cid())).isTrue();
    assertThat(store.has(garbage.cid())).isFalse();
  }

  @Test
  void ofAPinAndARemovalAtOnceOneIsRefused() throws Exception {
    for (int i = 0; i < 100; i++) {
      Block child = TestBlocks.numbered(100 + i, 50);
      Block parent = parent(child.cid());
      store.putAll(List.of(child, parent));
      var removal =
          client.sendAsync(
              request("/api/v0/block/rm?arg=" + child.cid())
                  .POST(HttpRequest.BodyPublishers.noBody())
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      var pin =
          client.sendAsync(
              request("/api/v0/pin/add?arg=" + parent.cid())
                  .POST(HttpRequest.BodyPublishers.noBody())
                  .build(),
              HttpResponse.BodyHandlers.ofString());

      boolean isPinned = pin.get().statusCode() == 200;
      assertThat(removal.get().statusCode()).isEqualTo(200);
      boolean isRemoved = !removal.get().body().contains("Error");

      assertThat(isPinned && isRemoved).isFalse();
      assertThat(store.has(child.cid())).isEqualTo(!isRemoved);
    }
  }

  @Test
  void aCollectionThatABlockIsMissingForSaysSoInItsLastLine() {
    Block parent = parent(leaf.cid(), missing.cid());
    store.putAll(List.of(leaf, parent, garbage));
    ask("PUT", "/pins/" + parent.cid(), "");

    HttpResponse<byte[]> stopped = ask("POST", "/gc?grace=0", "");

    List<String> lines = text(stopped).lines().toList();
    JsonObject end = new JsonObject(lines.get(lines.size() - 1));
    assertThat(stopped.statusCode()).isEqualTo(200);
    assertThat(end.getBoolean("end")).isTrue();
    assertThat(end.getString("code")).isEqualTo("conflict");
    assertThat(end.getString("error")).contains(missing.cid().toString());
    assertThat(store.has(garbage.cid())).isTrue();
    assertThat(text(ask("POST", "/gc?grace=0&ignore-missing=true", ""))).contains("\"result\"");
    assertThat(store.has(garbage.cid())).isFalse();
  }

  @Test
  void theFeedTellsEffectsInTheirOrderAndGoesOnAfterAnyOfThem() {
    store.put(leaf);
    store.put(leaf);
    ask("PUT", "/pins/" + leaf.cid(), "");
    ask("DELETE", "/pins/" + leaf.cid(), "");
    ask("POST", "/gc?grace=0", "");

    List<JsonObject> all =
        lines("/changes?since=0&follow=false").stream().map(JsonObject::new).toList();

    assertThat(all.stream().map(json -> json.getString("type")))
        .containsExactly("begin", "put", "roots", "roots", "delete", "end");
    long second = all.get(2).getLong("index");
    assertThat(lines("/changes?follow=false&since=" + second)).hasSize(4);
    assertThat(get("/changes?since=1000000").statusCode()).isEqualTo(400);
    assertThat(get("/changes?since=0&cluster=another").statusCode()).isEqualTo(410);
    assertThat(get("/changes?since=x").statusCode()).isEqualTo(400);
  }

  @Test
  void aCarStoresItsBlocksAndNamesThoseThatAreRefused() throws IOException {
    Block tooLarge = TestBlocks.numbered(4, BLOCK_BYTES_MAX + 1000);
    byte[] car = car(List.of(leaf, tooLarge, garbage));

    HttpResponse<byte[]> put = call("POST", "/blocks", car, CAR);

    List<String> lines = text(put).lines().toList();
    assertThat(lines).hasSize(4);
    assertThat(lines.get(0) + lines.get(1)).contains("\"error\"").contains(leaf.cid().toString());
    JsonObject end = new JsonObject(lines.get(3));
    assertThat(end.getInteger("blocks")).isEqualTo(2);
    assertThat(end.getInteger("refused")).isEqualTo(1);
    assertThat(store.has(garbage.cid())).isTrue();
  }

  @Test
  void listsOfCidsAreFetchedLookedForAndDeleted() throws IOException {
    store.putAll(List.of(leaf, garbage));
    String list = leaf.cid() + "\n" + missing.cid() + "\n" + garbage.cid() + "\n";

    assertThat(text(ask("POST", "/blocks/has", list)).lines())
        .containsExactly(
            "{\"cid\":\"" + leaf.cid() + "\",\"present\":true,\"size\":100}",
            "{\"cid\":\"" + missing.cid() + "\",\"present\":false}",
            "{\"cid\":\"" + garbage.cid() + "\",\"present\":true,\"size\":100}");
    assertThat(ask("POST", "/blocks/get", list).statusCode()).isEqualTo(404);
    byte[] car = ask("POST", "/blocks/get?skip-missing=true", list).body();
    try (CarReader reader = CarReader.open(new ByteArrayInputStream(car), CarLimits.DEFAULT)) {
      assertThat(reader.next().map(Block::cid)).contains(leaf.cid());
      assertThat(reader.next().map(Block::cid)).contains(garbage.cid());
      assertThat(reader.next()).isEmpty();
    }
    String json = "[\"" + leaf.cid() + "\"]";
    assertThat(text(ask("POST", "/blocks/delete", json))).contains("\"deleted\":true");
    assertThat(store.has(leaf.cid())).isFalse();
    assertThat(ask("POST", "/blocks/has", "").statusCode()).isEqualTo(400);
    for (String malformed : List.of("[1,", "{\"a\":1}", "[".repeat(100_000))) {
      HttpResponse<byte[]> refused = ask("POST", "/blocks/has", malformed);
      assertThat(refused.statusCode()).isEqualTo(400);
      assertThat(text(refused)).contains("neither a JSON array of CIDs nor one CID a line");
    }
    assertThat(ask("POST", "/blocks/has", "x".repeat(3 << 20)).statusCode()).isEqualTo(413);
  }

  @Test
  void aCarThatIsCutOffKeepsWhatCameAndIsAnError() throws IOException {
    byte[] car = car(List.of(leaf, garbage));
    byte[] cut = java.util.Arrays.copyOf(car, car.length - 10);

    List<String> lines = text(call("POST", "/blocks", cut, CAR)).lines().toList();

    assertThat(lines).hasSize(2);
    assertThat(lines.get(1)).contains("\"end\":true").contains("\"error\"");
    assertThat(store.has(leaf.cid())).isTrue();
    assertThat(store.has(garbage.cid())).isFalse();
  }

  private HttpResponse<byte[]> ask(String method, String path, String body) {
    return call(method, path, body.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  private static boolean removed(HttpResponse<byte[]> answer) {
    assertThat(answer.statusCode()).isEqualTo(200);
    return new JsonObject(text(answer)).getBoolean("removed");
  }

  private static Block parent(Cid... children) {
    List<PbNode.PbLink> links =
        java.util.Arrays.stream(children).map(cid -> new PbNode.PbLink(cid, "", 0)).toList();
    return Block.of(
        dev.ashlar.block.Multicodec.DAG_PB,
        dev.ashlar.block.HashFunction.SHA2_256,
        new PbNode(Optional.of(ByteBuffer.wrap(new byte[] {8, 1})), links).encode());
  }

  private static byte[] car(List<Block> blocks) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CarWriter writer = CarWriter.open(out, List.of())) {
      for (Block block : blocks) {
        writer.write(block);
      }
    }
    return out.toByteArray();
  }

  private List<String> lines(String path) {
    return text(get(path)).lines().toList();
  }
}
