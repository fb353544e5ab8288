#!/usr/bin/env python3
"""nginx stream UDP and TCP proxy on S, one worker."""
import sys, os
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import *
t = sys.argv[1:] == ['tuned']
b = Bench('nginx' + '-tuned' * t, 'nginx stream proxy on S, 1 worker' + ', rcvbuf 4 MiB' * t)
b.topology('relay')
cf = b.file('nginx.conf', f"""load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; worker_processes 1; pid {b.dir}/pid; error_log {b.dir}/err.log; user root;
events {{ worker_connections 1024; }}
stream {{
  server {{ listen {IP['S']}:7000 udp{' rcvbuf=4m sndbuf=4m' * t}; proxy_pass {IP['B']}:7000; proxy_timeout 60s; }}
  server {{ listen {IP['S']}:5201; proxy_pass {IP['B']}:5201; }}
}}
""")
b.spawn('S', f'nginx -p {b.dir} -c {cf}')
b.measure(f"{IP['S']}:7000", f"{IP['B']}:7000")
b.tcp(IP['S'])
b.done()
