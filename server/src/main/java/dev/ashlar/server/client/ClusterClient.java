package dev.ashlar.server.client;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code /cluster} of a running server. */
public final class ClusterClient extends ServerClient {

  /**
   * @param server where it serves HTTP
   * @param token what every request carries as a bearer token
   */
  public ClusterClient(URI server, Optional<String> token) {
    super(server, token);
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
    return lines("GET", "/cluster/manifest");
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
}
