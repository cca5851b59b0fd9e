package dev.ashlar.block.dag;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.car.CarLimits;
import dev.ashlar.block.car.CarReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * DAGs that encoders of others made: files in chunks, directories, one of them in shards, dag-cbor
 * and dag-json. {@code interop/dag-fixtures/make.mjs} makes them.
 */
public final class DagFixtures implements BlockSource {

  private final Map<Cid, Block> blocks = new LinkedHashMap<>();
  private final Map<String, Map<String, List<String>>> expected = new HashMap<>();

  /** Reads them. */
  public DagFixtures() {
    try (InputStream car = open("dag.car");
        CarReader reader = CarReader.open(car, CarLimits.DEFAULT);
        InputStream json = open("dag.json");
        JsonParser parser = new JsonFactory().createParser(json)) {
      Optional<Block> block = reader.next();
      while (block.isPresent()) {
        blocks.put(block.get().cid(), block.get());
        block = reader.next();
      }
      parse(parser);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static InputStream open(String name) throws IOException {
    InputStream in = DagFixtures.class.getResourceAsStream(name);
    if (in == null) {
      throw new IOException(name + " is missing");
    }
    return in;
  }

  private void parse(JsonParser parser) throws IOException {
    parser.nextToken();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      Map<String, List<String>> lists = new HashMap<>();
      expected.put(parser.currentName(), lists);
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        List<String> cids = new ArrayList<>();
        lists.put(parser.currentName(), cids);
        JsonToken token = parser.nextToken();
        if (token == JsonToken.VALUE_STRING) {
          cids.add(parser.getText());
        } else {
          while (parser.nextToken() == JsonToken.VALUE_STRING) {
            cids.add(parser.getText());
          }
        }
      }
    }
  }

  /** Their names. */
  public Collection<String> names() {
    return expected.keySet();
  }

  /** All blocks of all of them. */
  public Collection<Block> blocks() {
    return blocks.values();
  }

  /** The root of one. */
  public Cid root(String name) {
    return cids(name, "cid").get(0);
  }

  /** Its blocks depth first, each once. */
  public List<Cid> all(String name) {
    return cids(name, "all");
  }

  /** Its blocks depth first, each as often as it is linked to. */
  public List<Cid> allWithDuplicates(String name) {
    return cids(name, "allWithDuplicates");
  }

  private List<Cid> cids(String name, String list) {
    return expected.getOrDefault(name, Map.of()).getOrDefault(list, List.of()).stream()
        .map(Cid::parse)
        .toList();
  }

  @Override
  public Optional<Block> get(Cid cid) {
    return cid.isIdentity() ? Optional.of(Block.inline(cid)) : Optional.ofNullable(blocks.get(cid));
  }
}
