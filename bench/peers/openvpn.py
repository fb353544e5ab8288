"""openvpn in user space: UDP, TLS, AES-256-GCM, server on S with client-to-client."""
from common import IP, wait_for
from peers import Ways

ADDRESS = {"A": "10.97.0.11", "B": "10.97.0.12"}


def make_keys(bench):
    d = bench.dir
    bench.sh(f"cd {d} && openssl ecparam -name prime256v1 -out ec && "
             "openssl req -x509 -newkey ec:ec -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 30 2>/dev/null")
    for who in "SAB":
        bench.file("ext" + who, f"extendedKeyUsage={'serverAuth' if who == 'S' else 'clientAuth'}\nkeyUsage=digitalSignature\n")
        bench.sh(f"cd {d} && openssl req -newkey ec:ec -nodes -keyout {who}.key -out {who}.csr -subj /CN={who} 2>/dev/null && "
                 f"openssl x509 -req -in {who}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out {who}.crt -days 30 -extfile ext{who} 2>/dev/null")


def start(bench, _):
    bench.topology("relay")
    make_keys(bench)
    for who, address in ADDRESS.items():
        bench.file(f"ccd/{who}", f"ifconfig-push {address} 255.255.255.0\n")

    def common(who):
        return (f"--ca {bench.dir}/ca.crt --cert {bench.dir}/{who}.crt --key {bench.dir}/{who}.key --proto udp4 "
                f"--data-ciphers AES-256-GCM --verb 1 --dev-type tun --dev ov{who}")
    bench.spawn("S", "openvpn --mode server --tls-server --dh none --topology subnet --server 10.97.0.0 255.255.255.0 --client-to-client "
                     f"--client-config-dir {bench.dir}/ccd --port 1194 --local {IP['S']} " + common("S"))
    for who in "AB":
        bench.spawn(who, f"openvpn --client --nobind --remote {IP['S']} 1194 --connect-retry 1 " + common(who))
    wait_for(lambda: all(bench.has_address(who, ADDRESS[who]) for who in "AB"), 20)
    return Ways(f"{ADDRESS['B']}:7000", f"{ADDRESS['B']}:7000", ADDRESS["B"])
