//! `deploy/kubernetes/`.

use std::process::{Command, Stdio};

use crate::support::{KUBERNETES_VALIDATE, Root, STRACE, Server, run, test, tool};
use crate::{deploy, flags, read};

const MANIFESTS: [&str; 3] =
    ["kubernetes/deployment.yaml", "kubernetes/service.yaml", "kubernetes/poddisruptionbudget.yaml"];

test!(the_manifests_are_valid, KUBERNETES_VALIDATE);
/// `kubernetes-validate` brings the schemas of Kubernetes itself.
fn the_manifests_are_valid() {
    run(tool("kubernetes-validate").arg("--strict").args(MANIFESTS.map(deploy))).assert_success();
}

test!(a_pod_writes_a_ledger_that_can_be_told_from_its_access_log);
/// Both go to standard output, as JSON.
fn a_pod_writes_a_ledger_that_can_be_told_from_its_access_log() {
    let deployment = read("kubernetes/deployment.yaml");
    for flag in ["--access-log=-", "--connection-log=-", "--log-format=json"] {
        assert!(deployment.contains(&format!("- {flag}\n")), "{flag}");
    }
}

test!(a_container_listens_where_the_kernel_has_no_ipv6, STRACE);
/// The image and the pod listen on `[::]`, so that they can be reached in a cluster of either family.
fn a_container_listens_where_the_kernel_has_no_ipv6() {
    assert!(read("Containerfile").contains("\"--listen=[::]:8080\""), "the image");
    assert!(read("kubernetes/deployment.yaml").contains("- --listen=[::]:8080\n"), "the pod");
    let root = Root::new();
    let mut strace = Command::new("strace");
    // The first socket is the one for the tests, the second that for [::].
    strace.args(["-D", "-f", "-o", "/dev/null", "-e", "inject=socket:error=EAFNOSUPPORT:when=2"]);
    strace.arg(env!("CARGO_BIN_EXE_holdline")).stdin(Stdio::null());
    let server = Server::start_by(strace, &root, &["--listen", "[::]:0"]);
    assert!(server.urls()[1].starts_with("http://0.0.0.0:"), "{:?}", server.urls());
    assert_eq!(server.connect().get("/").status, 200);
}

test!(a_container_ends_before_it_is_killed);
/// `docker stop` and `podman stop` send SIGKILL after 10 s.
fn a_container_ends_before_it_is_killed() {
    let container = read("Containerfile");
    let drain = container.split("--drain-timeout=").nth(1).and_then(|rest| rest.split('"').next()).expect("it is set");
    assert!(flags::parse(drain) < std::time::Duration::from_secs(10), "{drain}");
}

test!(a_pod_has_the_time_that_a_stop_may_take);
/// SIGKILL comes after the grace period. A stop must have come to its end by itself.
fn a_pod_has_the_time_that_a_stop_may_take() {
    let deployment = read("kubernetes/deployment.yaml");
    let grace = number(&deployment, "terminationGracePeriodSeconds:");
    let delay = flags::duration(&deployment, "--drain-delay");
    let drain = flags::duration(&deployment, "--drain-timeout");
    assert!(delay + drain < std::time::Duration::from_secs(grace), "{delay:?} + {drain:?}, but {grace} s");
}

test!(the_drain_delay_outlasts_the_readiness_probe);
/// Before the listener closes, the kubelet has seen twice that the pod is not ready any more.
fn the_drain_delay_outlasts_the_readiness_probe() {
    let deployment = read("kubernetes/deployment.yaml");
    let (_, probe) = deployment.split_once("readinessProbe:").expect("there is one");
    let seen = number(probe, "periodSeconds:") * number(probe, "failureThreshold:") + number(probe, "timeoutSeconds:");
    let delay = flags::duration(&deployment, "--drain-delay");
    assert!(delay.as_secs() > seen, "{delay:?}, but the probe takes {seen} s");
}

test!(a_pod_has_the_memory_that_its_connections_may_take);
/// What the kernel keeps for a connection counts as the pod's memory.
fn a_pod_has_the_memory_that_its_connections_may_take() {
    const MOST_OF_A_CONNECTION: u64 = 512 << 10;
    let deployment = read("kubernetes/deployment.yaml");
    let (_, limits) = deployment.split_once("limits:").expect("there are some");
    let memory = flags::word_after(limits, "memory:").and_then(|memory| memory.strip_suffix("Mi")).expect("MiB");
    let memory: u64 = memory.parse().expect("a number");
    assert!(number(&deployment, "--max-connections=") * MOST_OF_A_CONNECTION < memory << 20, "{memory} MiB");
}

fn number(text: &str, name: &str) -> u64 {
    let value = flags::word_after(text, name).unwrap_or_else(|| panic!("no {name}"));
    value.parse().unwrap_or_else(|_| panic!("{name} is not a number: {value}"))
}
