package dev.ashlar.http;

import dev.ashlar.block.Cid;
import dev.ashlar.block.ReadConsistency;
import io.vertx.ext.web.Router;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * {@code GET} and {@code HEAD} of {@code /ipfs/{cid}} as raw blocks (Trustless Gateway
 * specification). CAR responses and paths are answered with what is missing, by name.
 */
final class TrustlessRoutes {

  private static final String RAW = "application/vnd.ipld.raw";
  private static final String CAR = "application/vnd.ipld.car";
  private static final String IMMUTABLE = "public, max-age=29030400, immutable";

  private final Workers workers;
  private final BlockResponse blocks;

  TrustlessRoutes(Workers workers, BlockResponse blocks) {
    this.workers = workers;
    this.blocks = blocks;
  }

  void addTo(Router router) {
    router.route("/ipfs/*").handler(Exchange.handler(TrustlessRoutes::allowEveryOrigin));
    router.get("/ipfs/:cid").handler(Exchange.handler(this::get));
    router.head("/ipfs/:cid").handler(Exchange.handler(this::get));
    router.options("/ipfs/*").handler(Exchange.handler(e -> e.response().setStatusCode(204).end()));
    router.get("/ipfs/:cid/*").handler(Exchange.handler(TrustlessRoutes::path));
    router.head("/ipfs/:cid/*").handler(Exchange.handler(TrustlessRoutes::path));
    router.route("/ipfs/*").handler(Exchange.handler(TrustlessRoutes::otherMethod));
  }

  private static void allowEveryOrigin(Exchange exchange) {
    exchange
        .response()
        .putHeader("Access-Control-Allow-Origin", "*")
        .putHeader("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
        .putHeader(
            "Access-Control-Allow-Headers", "Content-Type, Range, User-Agent, X-Requested-With")
        .putHeader(
            "Access-Control-Expose-Headers",
            "Content-Range, Content-Length, X-Ipfs-Path, X-Ipfs-Roots, X-Chunked-Output,"
                + " X-Stream-Output");
    exchange.next();
  }

  private static void path(Exchange exchange) {
    exchange.cidInPath();
    throw new Problem(
        Problem.Code.NOT_IMPLEMENTED,
        "paths below a CID are not resolved in this version; ask for each block by its own CID");
  }

  private static void otherMethod(Exchange exchange) {
    throw new Problem(
        Problem.Code.METHOD_NOT_ALLOWED,
        "/ipfs is for reading",
        Map.of("Allow", "GET, HEAD, OPTIONS"));
  }

  private void get(Exchange exchange) {
    Cid cid = exchange.cidInPath();
    boolean onlyIfCached =
        exchange
            .header("Cache-Control")
            .filter(value -> value.toLowerCase(Locale.ROOT).contains("only-if-cached"))
            .isPresent();
    if (!onlyIfCached) {
      raw(exchange, cid);
      return;
    }
    exchange.answer(
        workers.call(store -> store.reading(ReadConsistency.LOCAL).has(cid)),
        present -> {
          if (!present) {
            throw new Problem(Problem.Code.PRECONDITION_FAILED, "block " + cid + " is not here");
          }
          raw(exchange, cid);
        });
  }

  private void raw(Exchange exchange, Cid cid) {
    Optional<String> format = exchange.parameter("format");
    requireRaw(exchange, format);
    Map<String, String> validators = new LinkedHashMap<>();
    validators.put("Cache-Control", IMMUTABLE);
    validators.put("X-Ipfs-Path", exchange.request().path());
    validators.put("X-Ipfs-Roots", cid.toString());
    if (format.isEmpty()) {
      validators.put("Content-Location", contentLocation(exchange));
      validators.put("Vary", "Accept");
    }
    Map<String, String> headers = new LinkedHashMap<>(validators);
    headers.put("Content-Type", RAW);
    headers.put("X-Content-Type-Options", "nosniff");
    headers.put(
        "Content-Disposition", attachment(exchange.parameter("filename").orElse(cid + ".bin")));
    ReadConsistency consistency = blocks.consistency(exchange, ReadConsistency.LOCAL);
    blocks.send(exchange, cid, consistency, "\"" + cid + ".raw\"", headers, validators);
  }

  /** {@code ?format} is stronger than {@code Accept} (specification, "format query parameter"). */
  private static void requireRaw(Exchange exchange, Optional<String> format) {
    if (format.isPresent()) {
      switch (format.get()) {
        case "raw" -> {
          return;
        }
        case "car", "ipns-record", "tar" ->
            throw new Problem(
                Problem.Code.NOT_IMPLEMENTED,
                "format " + format.get() + " is not served in this version; ask for ?format=raw");
        case "dag-json", "dag-cbor", "json", "cbor" ->
            throw new Problem(
                Problem.Code.NOT_ACCEPTABLE,
                "blocks are not converted between codecs; ask for ?format=raw");
        default ->
            throw new Problem(Problem.Code.INVALID_REQUEST, "unknown format; ask for ?format=raw");
      }
    }
    List<String> accepted = exchange.request().headers().getAll("Accept");
    boolean raw = accepted.stream().anyMatch(list -> accepts(list, RAW));
    if (!raw && accepted.stream().anyMatch(list -> accepts(list, CAR))) {
      throw new Problem(
          Problem.Code.NOT_ACCEPTABLE, "CAR is not served in this version; ask for ?format=raw");
    }
    if (!raw) {
      throw new Problem(
          Problem.Code.NOT_ACCEPTABLE,
          "this gateway serves blocks as they are: ask for ?format=raw, or send Accept: " + RAW);
    }
  }

  private static boolean accepts(String list, String type) {
    for (String each : list.split(",", -1)) {
      String[] parts = each.split(";", -1);
      boolean refused = false;
      for (int i = 1; i < parts.length; i++) {
        refused |= parts[i].replace(" ", "").matches("q=0(\\.0{0,3})?");
      }
      if (!refused && parts[0].strip().equalsIgnoreCase(type)) {
        return true;
      }
    }
    return false;
  }

  private static String contentLocation(Exchange exchange) {
    String query = exchange.request().query();
    return exchange.request().path()
        + "?"
        + (query == null || query.isEmpty() ? "" : query + "&")
        + "format=raw";
  }

  /** Content-Disposition with a name in ASCII, and in UTF-8 where that differs (RFC 6266). */
  private static String attachment(String name) {
    StringBuilder ascii = new StringBuilder();
    boolean differs = false;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean plain = c >= ' ' && c < 127 && c != '"' && c != '\\';
      ascii.append(plain ? c : '_');
      differs |= !plain;
    }
    return "attachment; filename=\""
        + ascii
        + "\""
        + (differs ? "; filename*=UTF-8''" + percentEncoded(name) : "");
  }

  private static String percentEncoded(String name) {
    StringBuilder encoded = new StringBuilder();
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      boolean unreserved =
          (b >= '0' && b <= '9')
              || (b >= 'A' && b <= 'Z')
              || (b >= 'a' && b <= 'z')
              || b == '-'
              || b == '.'
              || b == '_'
              || b == '~';
      if (unreserved) {
        encoded.append((char) b);
      } else {
        encoded.append(String.format("%%%02X", b));
      }
    }
    return encoded.toString();
  }
}
