package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.dag.DagPath;
import io.vertx.ext.web.Router;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * {@code GET} and {@code HEAD} of {@code /ipfs/{cid}[/{path}]} as blocks and as CARs of what lies
 * below (Trustless Gateway specification).
 */
final class TrustlessRoutes {

  private static final String IMMUTABLE = "public, max-age=29030400, immutable";

  private final Workers workers;
  private final BlockResponse blocks;
  private final long blocksMax;

  TrustlessRoutes(Workers workers, BlockResponse blocks, GatewayOptions options) {
    this.workers = workers;
    this.blocks = blocks;
    this.blocksMax = options.limits().carBlocksMax();
  }

  void addTo(Router router) {
    router.route("/ipfs/*").handler(Exchange.handler(Cors::allowReading));
    for (String path : List.of("/ipfs/:cid", "/ipfs/:cid/*")) {
      router.get(path).handler(Exchange.handler(this::get));
      router.head(path).handler(Exchange.handler(this::get));
    }
    router.options("/ipfs/*").handler(Exchange.handler(Cors::preflight));
    router.route("/ipfs/*").handler(Exchange.handler(this::other));
  }

  private void other(Exchange exchange) {
    if (exchange.isRead()) {
      // What the routes before do not take is no path.
      get(exchange);
      return;
    }
    throw new Problem(
        Problem.Code.METHOD_NOT_ALLOWED,
        "/ipfs is for reading",
        Map.of("Allow", "GET, HEAD, OPTIONS"));
  }

  private void get(Exchange exchange) {
    IpfsPath path = IpfsPath.of(exchange.request().path());
    if (exchange.header("Service-Worker").filter("script"::equals).isPresent()) {
      throw new Problem(
          Problem.Code.INVALID_REQUEST, "a service worker is not registered from /ipfs");
    }
    boolean onlyIfCached =
        exchange
            .header("Cache-Control")
            .filter(value -> value.toLowerCase(Locale.ROOT).contains("only-if-cached"))
            .isPresent();
    if (!onlyIfCached) {
      serve(exchange, path);
      return;
    }
    exchange.answer(
        workers.call(store -> store.reading(ReadConsistency.LOCAL).has(path.root())),
        present -> {
          if (!present) {
            throw new Problem(
                Problem.Code.PRECONDITION_FAILED, "block " + path.root() + " is not here");
          }
          serve(exchange, path);
        });
  }

  private void serve(Exchange exchange, IpfsPath path) {
    ResponseFormat.Wanted wanted =
        ResponseFormat.wanted(exchange)
            .orElseThrow(
                () ->
                    new Problem(
                        Problem.Code.NOT_ACCEPTABLE,
                        "this gateway serves blocks as they are: ask for ?format=raw or ?format=car,"
                            + " or send Accept: "
                            + ResponseFormat.RAW.contentType()));
    if (wanted.format() == ResponseFormat.CAR) {
      car(exchange, path, wanted);
    } else if (path.segments().isEmpty()) {
      block(exchange, path, wanted, path.root(), List.of(path.root()));
    } else {
      ReadConsistency consistency = blocks.consistency(exchange, ReadConsistency.LOCAL);
      exchange.answer(
          workers.call(store -> resolve(exchange, store, consistency, path)),
          resolved -> {
            if (!resolved.remainder().isEmpty()) {
              throw new Problem(
                  Problem.Code.NOT_IMPLEMENTED,
                  "the path ends within block "
                      + resolved.terminus()
                      + ", at a value that is no link; ask for that block");
            }
            block(exchange, path, wanted, resolved.terminus(), resolved.roots());
          });
    }
  }

  private DagPath resolve(
      Exchange exchange, BlockStore store, ReadConsistency consistency, IpfsPath path) {
    try (MeteredSource source = new MeteredSource(workers, store.reading(consistency), exchange)) {
      return DagPath.resolve(source, path.root(), path.segments());
    } catch (MalformedException e) {
      throw new Problem(
          Problem.Code.INVALID_REQUEST,
          "a block on the path is not of its codec: " + e.getMessage());
    }
  }

  private void block(
      Exchange exchange, IpfsPath path, ResponseFormat.Wanted wanted, Cid cid, List<Cid> roots) {
    ResponseFormat format = wanted.format();
    if (format.codec().isPresent() && format.codec().getAsLong() != cid.codec()) {
      throw new Problem(
          Problem.Code.NOT_ACCEPTABLE,
          "block "
              + cid
              + " is "
              + Multicodec.nameOf(cid.codec())
              + ", and blocks are not converted between codecs; ask for ?format=raw");
    }
    Map<String, String> validators = validators(path, roots);
    addLocation(exchange, wanted, "format=" + format.parameter(), validators);
    Map<String, String> headers = new LinkedHashMap<>(validators);
    headers.put("Content-Type", format.contentType());
    headers.put("X-Content-Type-Options", "nosniff");
    headers.put(
        "Content-Disposition",
        attachment(exchange.parameter("filename").orElse(cid + "." + format.extension())));
    ReadConsistency consistency = blocks.consistency(exchange, ReadConsistency.LOCAL);
    String entityTag = "\"" + cid + "." + format.parameter() + "\"";
    blocks.send(exchange, cid, consistency, entityTag, headers, validators);
  }

  private void car(Exchange exchange, IpfsPath path, ResponseFormat.Wanted wanted) {
    CarRequest request = CarRequest.of(exchange, wanted.parameters(), blocksMax);
    ReadConsistency consistency = blocks.consistency(exchange, ReadConsistency.LOCAL);
    exchange.answer(
        workers.call(store -> resolve(exchange, store, consistency, path)),
        resolved -> {
          Map<String, String> validators = validators(path, resolved.roots());
          addLocation(exchange, wanted, request.query(), validators);
          String entityTag = entityTag(path, resolved, request);
          if (BlockResponse.matches(exchange, entityTag)) {
            BlockResponse.notModified(exchange, entityTag, validators);
            return;
          }
          Map<String, String> headers = new LinkedHashMap<>(validators);
          headers.put("Content-Type", request.contentType());
          headers.put("X-Content-Type-Options", "nosniff");
          headers.put(
              "Content-Disposition",
              attachment(exchange.parameter("filename").orElse(carName(path))));
          headers.put("Accept-Ranges", "none");
          headers.put("ETag", entityTag);
          if (exchange.isHead()) {
            headers.forEach(exchange.response()::putHeader);
            exchange.response().end();
            return;
          }
          new CarResponse(
                  workers, exchange, consistency, resolved, path.root(), request.walk(), headers)
              .send();
        });
  }

  private static String carName(IpfsPath path) {
    int last = path.segments().size() - 1;
    return path.root() + (last < 0 ? "" : "_" + path.segments().get(last)) + ".car";
  }

  /** The same path and parameters make the same bytes, for blocks come in one order. */
  private static String entityTag(IpfsPath path, DagPath resolved, CarRequest request) {
    String what = path.root() + " " + resolved + " " + request;
    String digest = Block.copyOf(what.getBytes(StandardCharsets.UTF_8)).cid().toString();
    return "\"" + resolved.terminus() + ".car." + digest.substring(digest.length() - 16) + "\"";
  }

  private static Map<String, String> validators(IpfsPath path, List<Cid> roots) {
    Map<String, String> validators = new LinkedHashMap<>();
    validators.put("Cache-Control", IMMUTABLE);
    validators.put("X-Ipfs-Path", path.text());
    validators.put(
        "X-Ipfs-Roots", roots.stream().map(Cid::toString).collect(Collectors.joining(",")));
    return validators;
  }

  /** Where the same would be had without Accept, so that caches tell the forms apart. */
  private static void addLocation(
      Exchange exchange,
      ResponseFormat.Wanted wanted,
      String query,
      Map<String, String> validators) {
    if (!wanted.isByAccept()) {
      return;
    }
    String sent = exchange.request().query();
    validators.put(
        "Content-Location",
        exchange.request().path()
            + "?"
            + (sent == null || sent.isEmpty() ? "" : sent + "&")
            + query);
    validators.put("Vary", "Accept");
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
