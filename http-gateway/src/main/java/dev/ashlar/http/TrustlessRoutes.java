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
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * {@code GET} and {@code HEAD} of {@code /ipfs/{cid}[/{path}]} as blocks and as CARs of what lies
 * below (Trustless Gateway specification).
 */
final class TrustlessRoutes {

  private static final String IMMUTABLE = "public, max-age=29030400, immutable";

  private final Workers workers;
  private final BlockResponse blocks;
  private final Optional<FileResponse> files;
  private final long blocksMax;

  TrustlessRoutes(Workers workers, BlockResponse blocks, GatewayOptions options) {
    this.workers = workers;
    this.blocks = blocks;
    this.files =
        options.deserialized() ? Optional.of(new FileResponse(workers, options)) : Optional.empty();
    this.blocksMax = options.limits().carBlocksMax();
  }

  void addTo(Router router) {
    router.route("/ipfs/*").handler(Exchange.handler(Cors::allowReading));
    for (String path : List.of("/ipfs/:cid", "/ipfs/:cid/*")) {
      router.get(path).handler(Exchange.handler(this::get));
      router.head(path).handler(Exchange.handler(this::get));
    }
    router
        .route("/ipns/*")
        .handler(
            Exchange.handler(
                exchange -> {
                  throw new Problem(
                      Problem.Code.NOT_IMPLEMENTED, "names of IPNS are not resolved here");
                }));
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
    Optional<ResponseFormat.Wanted> asked = ResponseFormat.wanted(exchange, files.isPresent());
    if (asked.isEmpty()) {
      whatItIs(exchange, path);
    } else if (asked.get().format() == ResponseFormat.CAR) {
      car(exchange, path, asked.get());
    } else if (path.segments().isEmpty()) {
      block(exchange, path, asked.get(), path.root(), List.of(path.root()));
    } else {
      ReadConsistency consistency = blocks.consistency(exchange, ReadConsistency.LOCAL);
      exchange.answer(
          workers.call(store -> resolve(exchange, store, consistency, path)),
          resolved -> {
            requireWhole(resolved);
            block(exchange, path, asked.get(), resolved.terminus(), resolved.roots());
          });
    }
  }

  /** The file, directory or value that is there, where the server is set to tell it. */
  private void whatItIs(Exchange exchange, IpfsPath path) {
    if (files.isEmpty()) {
      throw new Problem(
          Problem.Code.NOT_ACCEPTABLE,
          "this gateway serves blocks as they are: ask for ?format=raw or ?format=car, or send"
              + " Accept: "
              + ResponseFormat.RAW.contentType());
    }
    ReadConsistency consistency = blocks.consistency(exchange, ReadConsistency.LOCAL);
    exchange.answer(
        workers.call(store -> resolve(exchange, store, consistency, path)),
        resolved -> {
          requireWhole(resolved);
          Optional<ResponseFormat> codec = ResponseFormat.ofCodec(resolved.terminus().codec());
          if (codec.isPresent()) {
            ResponseFormat.Wanted wanted = new ResponseFormat.Wanted(codec.get(), false, Map.of());
            block(exchange, path, wanted, resolved.terminus(), resolved.roots());
          } else {
            Map<String, String> validators = validators(path, resolved.roots());
            validators.put("Vary", "Accept");
            files.get().send(exchange, path, resolved.terminus(), consistency, validators);
          }
        });
  }

  private static void requireWhole(DagPath resolved) {
    if (!resolved.remainder().isEmpty()) {
      throw new Problem(
          Problem.Code.NOT_IMPLEMENTED,
          "the path ends within block "
              + resolved.terminus()
              + ", at a value that is no link; ask for that block");
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
    boolean isOther = !format.takes(cid.codec());
    boolean mayBeFile = cid.codec() == Multicodec.RAW || cid.codec() == Multicodec.DAG_PB;
    if (isOther && mayBeFile && wanted.isByAccept() && files.isPresent()) {
      // JSON, say, is what a file may be too.
      Map<String, String> validators = validators(path, roots);
      validators.put("Vary", "Accept");
      files
          .get()
          .send(
              exchange, path, cid, blocks.consistency(exchange, ReadConsistency.LOCAL), validators);
      return;
    }
    if (isOther) {
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
        Disposition.of(
            Disposition.ATTACHMENT,
            exchange.parameter("filename").orElse(cid + "." + format.extension())));
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
              Disposition.of(
                  Disposition.ATTACHMENT, exchange.parameter("filename").orElse(carName(path))));
          headers.put("Accept-Ranges", "none");
          headers.put("ETag", entityTag);
          SlicedResponse.send(
              workers,
              exchange,
              headers,
              slice ->
                  new CarBody(
                      workers,
                      exchange,
                      consistency,
                      resolved,
                      path.root(),
                      request.walk(),
                      slice));
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
}
