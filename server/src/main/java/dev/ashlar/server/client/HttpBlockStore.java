package dev.ashlar.server.client;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockStoreStatistics;
import dev.ashlar.block.Cid;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.PutResult;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.UnknownOutcomeException;
import dev.ashlar.block.car.CarWriter;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** The store behind a running server, over its native HTTP interface. Every block is verified. */
public final class HttpBlockStore implements BlockStore {

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration REQUEST_TIMEOUT = Duration.ofMinutes(2);
  private static final int REQUESTS_AT_ONCE = 32;

  /** So many and more go into one request. */
  private static final int CAR_FROM_BLOCKS = 4;

  private static final int CAR_BLOCKS_MAX = 1024;
  private static final int CAR_BYTES_MAX = 8 << 20;

  private final URI server;
  private final Optional<String> token;
  private final Duration timeout;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_TIMEOUT)
          .build();

  /**
   * @param server where it serves HTTP
   * @param token what every request carries as a bearer token
   */
  public HttpBlockStore(URI server, Optional<String> token) {
    this(server, token, REQUEST_TIMEOUT);
  }

  /**
   * @param timeout how long a request may take; a write that takes longer has an unknown outcome
   */
  public HttpBlockStore(URI server, Optional<String> token, Duration timeout) {
    this.server = server;
    this.token = token;
    this.timeout = timeout;
  }

  @Override
  public PutResult put(Block block) {
    return putAll(List.of(block)).get(0);
  }

  @Override
  public List<PutResult> putAll(Collection<Block> blocks) {
    List<Block> all = List.copyOf(blocks);
    if (all.size() < CAR_FROM_BLOCKS) {
      return putEach(all);
    }
    List<PutResult> results = new ArrayList<>(all.size());
    List<Block> car = new ArrayList<>();
    long carBytes = 0;
    for (Block block : all) {
      boolean isFull = car.size() == CAR_BLOCKS_MAX || carBytes + block.size() > CAR_BYTES_MAX;
      if (isFull && !car.isEmpty()) {
        results.addAll(putMany(car));
        car.clear();
        carBytes = 0;
      }
      car.add(block);
      carBytes += block.size();
    }
    results.addAll(putMany(car));
    return results;
  }

  private List<PutResult> putEach(List<Block> blocks) {
    List<PutResult> results = new ArrayList<>(blocks.size());
    for (int from = 0; from < blocks.size(); from += REQUESTS_AT_ONCE) {
      List<CompletableFuture<PutResult>> under =
          blocks.subList(from, Math.min(blocks.size(), from + REQUESTS_AT_ONCE)).stream()
              .map(this::putAsync)
              .toList();
      under.forEach(each -> results.add(joinWrite(each)));
    }
    return results;
  }

  /** In one request, unless the server has no place for one that long. */
  private List<PutResult> putMany(List<Block> blocks) {
    try {
      return putCar(blocks);
    } catch (StoreUnavailableException e) {
      return putEach(blocks);
    }
  }

  /** Many blocks in one request; blocks of identity CIDs are in no CAR, and are always there. */
  private List<PutResult> putCar(List<Block> blocks) {
    HttpRequest.Builder request =
        request("/blocks")
            .header("Content-Type", "application/vnd.ipld.car")
            .POST(HttpRequest.BodyPublishers.ofByteArray(car(blocks)));
    String lines = text(succeeded(joinWrite(sendAsync(request))));
    Iterator<JsonObject> answers = lines.lines().map(JsonObject::new).iterator();
    List<PutResult> results = new ArrayList<>(blocks.size());
    for (Block block : blocks) {
      if (block.cid().isIdentity()) {
        results.add(new PutResult(block.cid(), block.size(), false));
        continue;
      }
      JsonObject answer = answers.hasNext() ? answers.next() : new JsonObject();
      if (!answer.containsKey("cid")) {
        throw failure(
            answer.getString("code", "unknown_outcome"),
            answer.getString("error", "the server did not say what became of all blocks"));
      }
      results.add(new PutResult(block.cid(), block.size(), answer.getBoolean("new")));
    }
    return results;
  }

  private static byte[] car(List<Block> blocks) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (CarWriter writer = CarWriter.open(bytes, List.of())) {
      for (Block block : blocks) {
        writer.write(block);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  @Override
  public Optional<Block> get(Cid cid) {
    if (cid.isIdentity()) {
      return Optional.of(Block.inline(cid));
    }
    HttpResponse<byte[]> response = send(request("/blocks/" + cid).GET());
    return response.statusCode() == 404
        ? Optional.empty()
        : Optional.of(Block.verified(cid, ByteBuffer.wrap(succeeded(response).body())));
  }

  @Override
  public <T> Optional<T> view(Cid cid, Function<ByteBuffer, T> reader) {
    return get(cid).map(block -> reader.apply(block.bytes()));
  }

  @Override
  public OptionalInt size(Cid cid) {
    HttpResponse<byte[]> response =
        send(request("/blocks/" + cid).method("HEAD", HttpRequest.BodyPublishers.noBody()));
    return response.statusCode() == 404
        ? OptionalInt.empty()
        : OptionalInt.of(
            (int) succeeded(response).headers().firstValueAsLong("Content-Length").orElse(0));
  }

  @Override
  public boolean delete(Cid cid) {
    return json(send(request("/blocks/" + cid).DELETE())).getBoolean("deleted");
  }

  @Override
  public BlockPage list(BlockCursor cursor, int limit) {
    String lines =
        text(succeeded(send(request("/blocks?limit=" + limit + "&cursor=" + cursor).GET())));
    List<BlockPage.Entry> entries = new ArrayList<>();
    Optional<BlockCursor> next = Optional.empty();
    for (String line : lines.lines().toList()) {
      JsonObject json = new JsonObject(line);
      if (json.containsKey("next")) {
        next = Optional.of(BlockCursor.parse(json.getString("next")));
      } else {
        entries.add(new BlockPage.Entry(Cid.parse(json.getString("cid")), json.getInteger("size")));
      }
    }
    return new BlockPage(entries, next);
  }

  @Override
  public BlockStoreStatistics statistics() {
    JsonObject json = json(send(request("/stats").GET()));
    return new BlockStoreStatistics(
        json.getLong("blocks"), json.getLong("bytes"), json.getLong("reclaimableBytes"));
  }

  @Override
  public int blockBytesMax() {
    return json(send(request("/stats").GET())).getInteger("blockBytesMax");
  }

  @Override
  public void close() {
    // The client's connections end with the process.
  }

  private CompletableFuture<PutResult> putAsync(Block block) {
    if (block.cid().isIdentity()) {
      return CompletableFuture.completedFuture(new PutResult(block.cid(), block.size(), false));
    }
    byte[] bytes = block.toByteArray();
    return sendAsync(
            request("/blocks/" + block.cid()).PUT(HttpRequest.BodyPublishers.ofByteArray(bytes)))
        .thenApply(
            response -> new PutResult(block.cid(), bytes.length, json(response).getBoolean("new")));
  }

  /** As {@link #join}; a write whose answer did not come may have been done. */
  private static <T> T joinWrite(CompletableFuture<T> future) {
    try {
      return join(future);
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof ConnectException || e.getCause() instanceof RefusedException) {
        throw e;
      }
      throw new UnknownOutcomeException("no answer came: " + e.getMessage(), e);
    }
  }

  private static <T> T join(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof IOException io) {
        throw new UncheckedIOException(io);
      }
      if (e.getCause() instanceof TimeoutException) {
        throw new UncheckedIOException(new HttpTimeoutException("no answer came in time"));
      }
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(server.resolve(path)).timeout(timeout);
    token.ifPresent(t -> request.header("Authorization", "Bearer " + t));
    return request;
  }

  private HttpResponse<byte[]> send(HttpRequest.Builder request) {
    return join(sendAsync(request));
  }

  /** The time-out of a request ends when its answer begins; this one counts to its end. */
  private CompletableFuture<HttpResponse<byte[]>> sendAsync(HttpRequest.Builder request) {
    return client
        .sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray())
        .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static JsonObject json(HttpResponse<byte[]> response) {
    return new JsonObject(text(succeeded(response)));
  }

  private static String text(HttpResponse<byte[]> response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  private static HttpResponse<byte[]> succeeded(HttpResponse<byte[]> response) {
    int status = response.statusCode();
    if (status < 300) {
      return response;
    }
    String detail = "the server answered " + status;
    String code = "";
    try {
      JsonObject problem = new JsonObject(text(response));
      detail = problem.getString("detail", detail);
      code = problem.getString("code", "");
    } catch (DecodeException e) {
      // An answer of something else than Ashlar; its status says what there is to say.
    }
    throw failure(code, detail);
  }

  private static RuntimeException failure(String code, String detail) {
    return switch (code) {
      case "no_space" -> new NoSpaceException(detail);
      case "unavailable" -> new StoreUnavailableException(detail);
      case "unknown_outcome" -> new UnknownOutcomeException(detail, new IOException(detail));
      default -> new UncheckedIOException(new RefusedException(detail));
    };
  }

  /** The server said no, and why. */
  static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    RefusedException(String detail) {
      super(detail);
    }
  }
}
