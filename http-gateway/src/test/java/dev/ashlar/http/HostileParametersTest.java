package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Cid;
import dev.ashlar.block.unixfs.UnixFsWriter;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every parameter of every route that is described, as nobody should send it. */
class HostileParametersTest extends GatewayFixture {

  /** May stand more than once: Kubo's commands take several arguments. */
  private static final String REPEATABLE = "arg";

  /** Text of any kind, so that oddities are values like others. */
  private static final Set<String> FREE =
      Set.of("filename", "name", "pin-name", "prefix", "filter-addrs", "filter-protocols");

  /** A name where {@code /refs} has it, a CID elsewhere. */
  private static final String AFTER = "after";

  /** Those that say something about CARs only. */
  private static final Set<String> OF_CARS =
      Set.of("dag-scope", "entity-bytes", "car-version", "car-order", "car-dups");

  private static final List<String> ODD_VALUES =
      List.of("%00", "%2500", "%252e%252e", "-1", "99999999999999999999", "x".repeat(3000), "%F0");

  private static final List<String> ODD_PATHS =
      List.of(
          "%00", "..%2f..%2fetc", "%252e%252e", "..;", "x".repeat(3000), "%F0", "%c0%ae", "b%20a");

  private Cid directory = Cid.parse("bafkqaaa");

  HostileParametersTest() {
    super(
        options ->
            options
                .deserializing(true)
                .withTasks(new GatewayOptions.Tasks(4, 4, 1 << 20, Duration.ofHours(1), 0)));
  }

  /**
   * A parameter of a route.
   *
   * @param path with the directory's CID where one belongs
   */
  private record Parameter(String method, String path, String name, boolean isInPath) {

    String with(String query) {
      return path + "?" + (OF_CARS.contains(name) ? "format=car&" : "") + query;
    }
  }

  @BeforeEach
  void putDirectory() throws IOException {
    UnixFsWriter writer = new UnixFsWriter(UnixFsWriter.Profile.V1_2025, store::put);
    UnixFsWriter.Written file = writer.file(new ByteArrayInputStream(new byte[] {1}));
    directory = writer.directory(new TreeMap<>(Map.of("name", file))).cid();
  }

  @Test
  void parametersThatStandTwiceAreRefused() throws IOException {
    SoftAssertions softly = new SoftAssertions();
    for (Parameter each : parameters()) {
      if (!each.isInPath() && !each.name().equals(REPEATABLE)) {
        String query = each.name() + "=1&" + each.name() + "=1";
        softly.assertThat(status(each.method(), each.with(query))).as("%s", each).isEqualTo(400);
      }
    }
    softly.assertAll();
    requireNothingChanged();
  }

  @Test
  void whatCannotBeDecodedIsRefused() throws IOException {
    SoftAssertions softly = new SoftAssertions();
    for (Parameter each : parameters()) {
      String at = each.isInPath() ? inPath(each, "%zz") : each.with(each.name() + "=%zz%");
      softly.assertThat(status(each.method(), at)).as("%s", each).isEqualTo(400);
    }
    softly.assertAll();
    requireNothingChanged();
  }

  @Test
  void oddValuesAreTheClientsFaultAndNeverTheServers() throws IOException {
    SoftAssertions softly = new SoftAssertions();
    for (Parameter each : parameters()) {
      for (String value : each.isInPath() ? ODD_PATHS : ODD_VALUES) {
        String at = each.isInPath() ? inPath(each, value) : each.with(each.name() + "=" + value);
        int status = status(each.method(), at);
        boolean isFree =
            FREE.contains(each.name())
                || (each.name().equals(AFTER) && each.path().equals("/refs"));
        if (isFree) {
          softly.assertThat(status).as("%s %s", each, value).isLessThan(500);
        } else {
          softly.assertThat(status).as("%s %s", each, value).isBetween(400, 499);
        }
      }
    }
    softly.assertAll();
    assertThat(store.statistics().blocks()).isEqualTo(2);
  }

  /** Routes of Kubo's RPC get a form, for they would refuse everything else before. */
  private int status(String method, String target) throws IOException {
    String form = "--b\r\n\r\n--b--\r\n";
    String answer =
        raw(
            method
                + " "
                + target
                + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                + "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: "
                + form.length()
                + "\r\n\r\n"
                + form);
    assertThat(answer).as("%s %s", method, target).startsWith("HTTP/1.");
    return Integer.parseInt(answer.substring(9, 12));
  }

  private String inPath(Parameter parameter, String value) {
    return parameter.name().equals("path")
        ? parameter.path().replace("/name", "/" + value)
        : parameter.path().replace(directory.toString(), value).replace("/name", "/" + value);
  }

  private List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>();
    JsonObject paths = new JsonObject(text(get("/openapi.json"))).getJsonObject("paths");
    for (String path : paths.fieldNames()) {
      for (String method : paths.getJsonObject(path).fieldNames()) {
        JsonArray described =
            paths.getJsonObject(path).getJsonObject(method).getJsonArray("parameters");
        String filled =
            path.replace("{cid}", directory.toString())
                .replace("{path}", "name")
                .replace("{name}", "name");
        for (Object each : described == null ? new JsonArray() : described) {
          JsonObject parameter = (JsonObject) each;
          all.add(
              new Parameter(
                  method.toUpperCase(Locale.ROOT),
                  filled,
                  parameter.getString("name"),
                  parameter.getString("in").equals("path")));
        }
      }
    }
    assertThat(all).hasSizeGreaterThan(60);
    return all;
  }

  private void requireNothingChanged() {
    assertThat(store.statistics().blocks()).isEqualTo(2);
    assertThat(text(get("/pins"))).doesNotContain("cid");
    assertThat(text(get("/refs"))).doesNotContain("cid");
  }
}
