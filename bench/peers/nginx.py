"""nginx stream as UDP and TCP proxy on S: one worker, 4 MiB buffers. No cryptography."""
from common import IP
from peers import Ways


def start(bench, _):
    bench.topology("relay")
    config = bench.file("nginx.conf", f"""load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; worker_processes 1; pid {bench.dir}/pid; error_log {bench.dir}/err.log; user root;
events {{ worker_connections 1024; }}
stream {{
  server {{ listen {IP['S']}:7000 udp rcvbuf=4m sndbuf=4m; proxy_pass {IP['B']}:7000; proxy_timeout 60s; }}
  server {{ listen {IP['S']}:5201; proxy_pass {IP['B']}:5201; }}
}}
""")
    bench.spawn("S", f"nginx -p {bench.dir} -c {config}")
    return Ways(f"{IP['S']}:7000", f"{IP['B']}:7000", IP["S"])
