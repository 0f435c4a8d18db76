import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.h2.mvstore.MVStore;
import org.yaml.snakeyaml.Yaml;

/**
 * Stand in for mongod in the lab: read /etc/mongod.conf and serve MongoDB's wire protocol from H2 files.
 * Unsupported settings are refused, so that no test relies on a missing protection.
 */
public final class Mongod {
    private final Map<String, Object> configuration;

    private Mongod(Map<String, Object> configuration) {
        this.configuration = configuration;
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 1 && arguments[0].equals("--version")) {
            System.out.println("db version v4.0.0 (stand-in: mongo-java-server 1.47.0)");
            return;
        }
        if (arguments.length != 2 || !(arguments[0].equals("--config") || arguments[0].equals("-f"))) {
            System.err.println("usage: mongod --config FILE | --version");
            System.exit(2);
        }
        try (var reader = Files.newBufferedReader(Path.of(arguments[1]))) {
            new Mongod(new Yaml().load(reader)).serve();
        } catch (IllegalArgumentException refused) {
            System.err.println("mongod (stand-in): " + arguments[1] + ": " + refused.getMessage());
            System.exit(1);
        }
    }

    /** Return the value of a dotted name, or the default. */
    private Object setting(String name, Object otherwise) {
        Object value = configuration;
        for (String key : name.split("\\.")) {
            value = value instanceof Map ? ((Map<?, ?>) value).get(key) : null;
        }
        return value == null ? otherwise : value;
    }

    private void refuse(String name, Object... harmless) {
        Object value = setting(name, null);
        if (value != null && !List.of(harmless).contains(value)) {
            throw new IllegalArgumentException(name + ": " + value + " is more than this stand-in can do; leave it out in the lab");
        }
    }

    private void serve() throws Exception {
        refuse("security.authorization", "disabled");
        refuse("security.keyFile");
        refuse("replication.replSetName");
        refuse("net.tls.mode", "disabled");
        refuse("net.ssl.mode", "disabled");
        if ("file".equals(setting("systemLog.destination", ""))) {
            System.setProperty("org.slf4j.simpleLogger.logFile", (String) setting("systemLog.path", "System.err"));
        }

        Path directory = Path.of((String) setting("storage.dbPath", "/data/db"));
        MVStore store = new MVStore.Builder().fileName(directory.resolve("standin.mv").toString()).open();
        var backend = new WithoutCappedCollections(store);
        backend.version(ServerVersion.MONGO_4_0);
        int port = (Integer) setting("net.port", 27017);
        boolean everywhere = Boolean.TRUE.equals(setting("net.bindIpAll", false));
        String addresses = everywhere ? "0.0.0.0" : (String) setting("net.bindIp", "127.0.0.1");
        var servers = new ArrayList<MongoServer>();
        for (String address : addresses.split(",")) {
            var server = new MongoServer(backend);
            server.bind(address.trim(), port);
            servers.add(server);
            System.err.println("mongod (stand-in): listening on " + address.trim() + ":" + port + ", data in " + directory);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            servers.forEach(MongoServer::stopListening);
            backend.close();
        }));
    }

    /** The wire server refuses capped collections, but Graylog creates one (index_failures): create a plain one. */
    private static final class WithoutCappedCollections extends H2Backend {
        WithoutCappedCollections(MVStore store) {
            super(store);
        }

        @Override
        public Document handleCommand(Channel channel, String database, String command, Document query) {
            if (command.equals("create")) {
                List.of("capped", "size", "max").forEach(query::remove);
            }
            return super.handleCommand(channel, database, command, query);
        }
    }
}
