import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/** Runs one Elasticsearch node for tests: without bootstrap checks and sandbox, until the process is ended. */
final class TestNode {

    public static void main(String[] arguments) throws Exception {
        Path config = Path.of(System.getProperty("es.path.conf"));
        LogConfigurator.configureESLogging();
        LogConfigurator.registerErrorListener();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(
            Settings.builder().put("path.home", System.getProperty("es.path.home")).build(),
            Map.of(),
            config,
            () -> "prorank-test"
        );
        LogConfigurator.setNodeName("prorank-test");
        LogConfigurator.configure(environment, true);
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
            Bundles.modules(environment),
            Bundles.plugins(environment),
            Map.of()
        );
        new Node(environment, plugins).start();
        new CountDownLatch(1).await();
    }
}
