package dev.ashlar.server.client;

import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.UnknownOutcomeException;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** {@code /cluster} of a running server. */
public final class ClusterClient {

  private static final Duration TIMEOUT = Duration.ofSeconds(15);
  private static final Duration MANIFEST_TIMEOUT = Duration.ofMinutes(2);

  private final URI server;
  private final Optional<String> token;
  private final HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

  /**
   * @param server where it serves HTTP
   * @param token what every request carries as a bearer token
   */
  public ClusterClient(URI server, Optional<String> token) {
    this.server = server;
    this.token = token;
  }

  /**
   * The cluster as the server sees it, or as its leader does where the server's view has no lag.
   */
  public JsonObject status() throws IOException {
    return send("GET", "/cluster");
  }

  /** Adds the node that waits to join at an address, as a voter or a learner. */
  public void add(String address, boolean learner) throws IOException {
    send("POST", "/cluster/members?address=" + encoded(address) + "&learner=" + learner);
  }

  /** Removes a member, named by its address, its id, or the beginning of it. */
  public void remove(String member) throws IOException {
    send("DELETE", "/cluster/members/" + encoded(idOf(member)));
  }

  /** Asks that a member lead, named as for {@link #remove}. */
  public void transfer(String member) throws IOException {
    send("POST", "/cluster/transfer?to=" + encoded(idOf(member)));
  }

  /**
   * What is replicated as of now: NDJSON, a head, a line for each block in the order of hashes, and
   * an end (docs/format.md, "Backup").
   *
   * @return to be closed by the caller
   */
  public Stream<String> manifest() throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.resolve("/cluster/manifest")).timeout(MANIFEST_TIMEOUT);
    token.ifPresent(t -> request.header("Authorization", "Bearer " + t));
    try {
      HttpResponse<Stream<String>> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofLines());
      if (response.statusCode() == 200) {
        return response.body();
      }
      try (Stream<String> body = response.body()) {
        String problem = body.collect(Collectors.joining());
        throw new StoreUnavailableException(
            "the manifest was not given: " + new JsonObject(problem).getString("detail", problem));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (DecodeException e) {
      throw new IOException(server + " is no server of Ashlar", e);
    }
  }

  /** A member may be named by its id, by the beginning of it, or by its address. */
  private String idOf(String member) throws IOException {
    JsonArray members = status().getJsonArray("members");
    Optional<String> found = Optional.empty();
    for (int i = 0; i < members.size(); i++) {
      JsonObject each = members.getJsonObject(i);
      boolean named =
          each.getString("id").startsWith(member) || each.getString("address").equals(member);
      if (named && found.isPresent()) {
        throw new IOException(member + " names more than one member: give more of the id");
      }
      if (named) {
        found = Optional.of(each.getString("id"));
      }
    }
    return found.orElseThrow(
        () -> new IOException("no member is named " + member + ": see 'ashlar cluster status'"));
  }

  private JsonObject send(String method, String path) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.resolve(path))
            .timeout(TIMEOUT)
            .method(method, HttpRequest.BodyPublishers.noBody());
    token.ifPresent(t -> request.header("Authorization", "Bearer " + t));
    try {
      HttpResponse<String> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
      JsonObject body = new JsonObject(response.body());
      if (response.statusCode() < 300) {
        return body;
      }
      String detail = body.getString("detail", "status " + response.statusCode());
      if (response.statusCode() == 503 || response.statusCode() == 409) {
        throw new StoreUnavailableException(detail);
      }
      if (response.statusCode() == 504) {
        throw new UnknownOutcomeException(detail);
      }
      throw new IOException(detail);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (DecodeException e) {
      throw new IOException(server + " is no server of Ashlar", e);
    }
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
