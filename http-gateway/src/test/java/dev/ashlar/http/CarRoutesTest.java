package dev.ashlar.http;

import static dev.ashlar.http.NativeRoutesTest.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.car.CarLimits;
import dev.ashlar.block.car.CarReader;
import dev.ashlar.block.dag.DagFixtures;
import dev.ashlar.block.dag.DagPath;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The cases of gateway-conformance for CARs and for paths, as a table, on DAGs that encoders of
 * others made.
 */
class CarRoutesTest extends GatewayFixture {

  private static final String CAR = "application/vnd.ipld.car";

  private final DagFixtures dags = new DagFixtures();

  @BeforeEach
  void putDags() {
    store.putAll(dags.blocks());
  }

  /**
   * @param path below the root
   * @param query without the format
   * @param expected what the CAR has, in this order
   */
  private record Case(String root, String path, String query, List<Cid> expected) {}

  @Test
  void aCarHasTheBlocksOfThePathAndOfTheScopeInTheirOrder() throws IOException {
    Cid dir = dags.root("dir");
    Cid hello = resolve("dir", "hello.txt").terminus();
    DagPath large = resolve("dir", "sub", "large.bin");
    DagPath inShards = resolve("hamt", "7.txt");
    Cid cbor = dags.root("cbor");
    List<Case> cases =
        List.of(
            new Case("dir", "", "", dags.all("dir")),
            new Case("dir", "/hello.txt", "", List.of(dir, hello)),
            new Case("dir", "/hello.txt", "&dag-scope=block", List.of(dir, hello)),
            new Case("dir", "/hello.txt", "&dag-scope=entity", List.of(dir, hello)),
            new Case("dir", "", "&dag-scope=block", List.of(dir)),
            new Case("dir", "", "&dag-scope=entity", List.of(dir)),
            new Case("hamt", "/7.txt", "", with(inShards.blocks(), inShards.terminus())),
            new Case("hamt", "", "", dags.all("hamt")),
            new Case("cbor", "", "&dag-scope=entity", List.of(cbor)),
            new Case("cbor", "", "", dags.all("cbor")),
            new Case("cbor", "/files/single", "", with(List.of(cbor), dags.all("file"))),
            new Case("cbor", "/text", "&dag-scope=block", List.of(cbor)),
            new Case(
                "json",
                "/link/files/list/2/three/hello.txt",
                "&dag-scope=entity",
                List.of(dags.root("json"), cbor, dir, hello)),
            new Case("file", "", "&dag-scope=entity", dags.all("file")),
            new Case("duplicates", "", "", dags.all("duplicates")),
            new Case("duplicates", "", "&car-dups=y", dags.allWithDuplicates("duplicates")),
            new Case("duplicates", "", "&car-order=dfs&car-dups=n", dags.all("duplicates")),
            new Case(
                "dir",
                "/sub/large.bin",
                "&dag-scope=block",
                with(large.blocks(), large.terminus())),
            new Case(
                "hamt",
                "/7.txt",
                "&entity-bytes=0:0",
                with(inShards.blocks(), inShards.terminus())));
    for (Case each : cases) {
      String path = "/ipfs/" + dags.root(each.root()) + each.path();
      HttpResponse<byte[]> byFormat = get(path + "?format=car" + each.query());
      assertCar(byFormat, each);
      String query = each.query().isEmpty() ? "" : "?" + each.query().substring(1);
      HttpResponse<byte[]> byAccept = get(path + query, "Accept", CAR);
      assertCar(byAccept, each);
      assertThat(byAccept.headers().firstValue("Content-Location").orElseThrow())
          .startsWith(path + "?")
          .contains("format=car");
      assertThat(byAccept.headers().firstValue("Vary")).contains("Accept");
    }
  }

  private void assertCar(HttpResponse<byte[]> response, Case each) throws IOException {
    assertThat(response.statusCode()).as("%s", each).isEqualTo(200);
    assertThat(cids(response.body())).as("%s", each).isEqualTo(each.expected());
    String dups = each.query().contains("car-dups=y") ? "y" : "n";
    assertHeader(response, "Content-Type", CAR + "; version=1; order=dfs; dups=" + dups);
    assertHeader(response, "X-Content-Type-Options", "nosniff");
    assertHeader(response, "Accept-Ranges", "none");
    assertHeader(response, "Cache-Control", "public, max-age=29030400, immutable");
    assertThat(response.headers().firstValue("Content-Disposition").orElseThrow())
        .startsWith("attachment; filename=\"")
        .contains(".car\"");
    assertThat(response.headers().firstValue("ETag")).isPresent();
    assertThat(response.headers().firstValue("X-Ipfs-Roots").orElseThrow())
        .startsWith(dags.root(each.root()).toString());
  }

  @Test
  void aRangeOfAFileNeedsOnlyItsBlocks() throws IOException {
    List<Cid> all = dags.all("file");
    Cid last = all.get(all.size() - 1);
    String path = "/ipfs/" + dags.root("file");
    store.delete(last);

    List<Cid> first = cids(get(path + "?format=car&entity-bytes=0:1000").body());
    assertThat(first).isEqualTo(cids(get(path + "?format=car&entity-bytes=-5000:-4000").body()));
    assertThat(all).containsAll(first);
    assertThat(first).contains(all.get(0)).doesNotContain(last).hasSizeLessThan(all.size());
    for (String clamped : List.of("-9999:-3001", "0:1999", "512:1023", "512:-3000")) {
      assertThat(get(path + "?format=car&entity-bytes=" + clamped).statusCode())
          .as(clamped)
          .isEqualTo(200);
    }
    assertThat(cids(get(path + "?format=car&entity-bytes=9999:*").body()))
        .containsExactly(dags.root("file"));
    for (String broken : List.of("5:3", "x:y", "1", "-1:-5")) {
      assertProblem(get(path + "?format=car&entity-bytes=" + broken), 400, "invalid_request");
    }
  }

  @Test
  void aMissingBlockBreaksTheConnectionInsteadOfEndingTheCar() {
    store.delete(dags.all("dir").get(2));

    assertThatThrownBy(() -> get("/ipfs/" + dags.root("dir") + "?format=car"))
        .hasRootCauseInstanceOf(IOException.class);
    assertThat(head("/ipfs/" + dags.root("dir") + "?format=car").statusCode()).isEqualTo(200);
  }

  @Test
  void whatIsNotThereIsSaidBeforeAnythingIsSent() {
    String dir = "/ipfs/" + dags.root("dir");
    Cid absent = Block.copyOf(new byte[] {1, 2, 3}).cid();
    for (String path :
        List.of(
            "/ipfs/" + absent,
            dir + "/none",
            dir + "/hello.txt/further",
            dir + "/sub%2Flarge.bin",
            "/ipfs/" + dags.root("hamt") + "/9999.txt",
            "/ipfs/" + dags.root("cbor") + "/files/none")) {
      assertProblem(get(path + "?format=car"), 404, "not_found");
      assertThat(head(path + "?format=car").statusCode()).as(path).isEqualTo(404);
      assertThat(get(path + "?format=raw").statusCode()).as(path).isEqualTo(404);
    }
    assertProblem(
        get("/ipfs/" + absent + "?format=car", "Cache-Control", "only-if-cached"),
        412,
        "precondition_failed");
    assertThat(get(dir + "?format=car", "Cache-Control", "only-if-cached").statusCode())
        .isEqualTo(200);
  }

  @Test
  void parametersOfTheQueryAreStrongerThanThoseOfAccept() throws IOException {
    String path = "/ipfs/" + dags.root("duplicates");
    String withDuplicates = CAR + "; version=1; order=dfs; dups=y";

    assertThat(cids(get(path, "Accept", withDuplicates).body()))
        .isEqualTo(dags.allWithDuplicates("duplicates"));
    assertThat(cids(get(path + "?format=car", "Accept", withDuplicates).body()))
        .isEqualTo(dags.allWithDuplicates("duplicates"));
    assertThat(cids(get(path + "?format=car&car-dups=n", "Accept", withDuplicates).body()))
        .isEqualTo(dags.all("duplicates"));
    assertHeader(
        get(path + "?car-order=unk", "Accept", withDuplicates),
        "Content-Type",
        CAR + "; version=1; order=unk; dups=y");
    assertThat(get(path + "?format=raw", "Accept", CAR).headers().firstValue("Content-Type"))
        .contains("application/vnd.ipld.raw");
    assertThat(get(path, "Accept", CAR + ";version=2").statusCode()).isEqualTo(406);
    for (String wrong :
        List.of("car-order=bfs", "car-dups=yes", "dag-scope=some", "dag-scope=all&dag-scope=all")) {
      assertProblem(get(path + "?format=car&" + wrong), 400, "invalid_request");
    }
  }

  @Test
  void identityCidsAreInNoCar() throws IOException {
    HttpResponse<byte[]> probe = get("/ipfs/bafkqaaa?format=car");

    assertThat(probe.statusCode()).isEqualTo(200);
    assertThat(cids(probe.body())).isEmpty();
    assertThat(root(probe.body())).isEqualTo(Cid.parse("bafkqaaa"));
    Cid inline = resolve("cbor", "inline").terminus();
    assertThat(cids(get("/ipfs/" + dags.root("cbor") + "?format=car&car-dups=y").body()))
        .doesNotContain(inline)
        .isEqualTo(dags.allWithDuplicates("cbor"));
    assertThat(text(get("/ipfs/" + dags.root("cbor") + "/inline?format=raw")))
        .isEqualTo("in the link");
  }

  @Test
  void tagsTellScopesApartAndConditionsAreHeeded() {
    String path = "/ipfs/" + dags.root("dir") + "?format=car";
    String all = tag(path);

    assertThat(tag(path)).isEqualTo(all);
    assertThat(tag(path + "&dag-scope=block")).isNotEqualTo(all);
    assertThat(tag(path + "&entity-bytes=0:1")).isNotEqualTo(tag(path + "&entity-bytes=0:2"));
    assertThat(tag(path + "&car-dups=y")).isNotEqualTo(all);
    for (String condition : List.of(all, "W/" + all, "\"other\", " + all, "*")) {
      HttpResponse<byte[]> response = get(path, "If-None-Match", condition);
      assertThat(response.statusCode()).as(condition).isEqualTo(304);
      assertHeader(response, "ETag", all);
      assertThat(response.body()).isEmpty();
    }
    assertThat(get(path, "If-None-Match", "\"other\"").statusCode()).isEqualTo(200);
  }

  @Test
  void blocksBelowAPathAreServedAsTheyAre() {
    String dir = "/ipfs/" + dags.root("dir");
    HttpResponse<byte[]> raw = get(dir + "/hello.txt?format=raw");
    assertThat(text(raw)).isEqualTo("hello application/vnd.ipld.car\n");
    assertHeader(raw, "X-Ipfs-Path", dir + "/hello.txt");
    assertHeader(
        raw, "X-Ipfs-Roots", dags.root("dir") + "," + resolve("dir", "hello.txt").terminus());
    HttpResponse<byte[]> part = get(dir + "/hello.txt?format=raw", "Range", "bytes=6-16");
    assertThat(part.statusCode()).isEqualTo(206);
    assertThat(text(part)).isEqualTo("application");
    assertThat(text(get(dir + "/sub/%C3%BCn%C3%AFcode%20name.txt?format=raw")))
        .isEqualTo("a name beyond ASCII\n");
    String cbor = "/ipfs/" + dags.root("cbor");
    assertThat(get(cbor + "?format=dag-cbor").headers().firstValue("Content-Type"))
        .contains("application/vnd.ipld.dag-cbor");
    assertThat(get(cbor, "Accept", "application/vnd.ipld.dag-cbor").body())
        .isEqualTo(dags.require(dags.root("cbor")).toByteArray());
    assertHeader(get(cbor + "?format=cbor"), "Content-Type", "application/cbor");
    assertProblem(get(cbor + "?format=json"), 406, "not_acceptable");
    assertProblem(get(cbor + "?format=dag-json"), 406, "not_acceptable");
    assertProblem(get(cbor + "/text?format=raw"), 501, "not_implemented");
  }

  @Test
  void pathsThatMeanSomethingElseAreRefused() throws IOException {
    String dir = "/ipfs/" + dags.root("dir");
    for (String path :
        List.of(dir + "/../x", dir + "/%2e%2e/x", dir + "/sub/%2E/y", dir + "/%zz", dir + "/%")) {
      assertThat(
              raw(
                  "GET "
                      + path
                      + "?format=car HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"))
          .as(path)
          .startsWith("HTTP/1.1 400");
    }
    assertProblem(get("/ipfs/?format=raw"), 400, "invalid_cid");
    assertProblem(get(dir + "/%252e%252e?format=raw"), 404, "not_found");
    assertProblem(get(dir + "?format=raw", "Service-Worker", "script"), 400, "invalid_request");
  }

  private HttpResponse<byte[]> head(String path) {
    return send(request(path).method("HEAD", HttpRequest.BodyPublishers.noBody()));
  }

  private String tag(String path) {
    return get(path).headers().firstValue("ETag").orElseThrow();
  }

  private DagPath resolve(String name, String... segments) {
    return DagPath.resolve(dags, dags.root(name), List.of(segments));
  }

  private static List<Cid> with(List<Cid> first, Cid last) {
    return with(first, List.of(last));
  }

  private static List<Cid> with(List<Cid> first, List<Cid> second) {
    List<Cid> both = new ArrayList<>(first);
    both.addAll(second);
    return both;
  }

  private static List<Cid> cids(byte[] car) throws IOException {
    List<Cid> cids = new ArrayList<>();
    try (CarReader reader = CarReader.open(new ByteArrayInputStream(car), CarLimits.DEFAULT)) {
      Optional<Block> block = reader.next();
      while (block.isPresent()) {
        cids.add(block.get().cid());
        block = reader.next();
      }
    }
    return cids;
  }

  private static Cid root(byte[] car) throws IOException {
    try (CarReader reader = CarReader.open(new ByteArrayInputStream(car), CarLimits.DEFAULT)) {
      return reader.roots().get(0);
    }
  }

  private static void assertHeader(HttpResponse<byte[]> response, String name, String value) {
    assertThat(response.headers().firstValue(name)).as(name).contains(value);
  }
}
