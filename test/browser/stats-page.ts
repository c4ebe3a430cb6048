/** A group of servers of the page. */
export interface Proxy {
  readonly name: string;
  readonly servers: string[];
}

const FIGURES = 16;

/**
 * A page of a load balancer as such pages are made: a table for each group, without `id`s, in which
 * nearly all figures differ each time, a form around each table for actions on ticked servers, a filter
 * above them, rows of the same few classes, and hints in boxes inside of cells.
 */
export function statsPage(proxies: readonly Proxy[], tick: number): string {
  return `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN"
"http://www.w3.org/TR/html4/loose.dtd">
<html><head><title>Statistics Report</title>
<meta http-equiv="content-type" content="text/html; charset=utf-8">
<style type="text/css"><!--
table.tbl { border-collapse: collapse; }
.active_up { background: #c0ffc0; }
--></style></head>
<body><h1><a href="http://www.example.org/">Statistics</a></h1>
<hr width="100%" class="hr">
<table border=0><tr><td align="left" nowrap width="1%">
<p><b>pid = </b> ${4711} (process #1, nbproc = 1)<br>
<b>uptime = </b> 0d 0h0${tick}m${tick}s<br>current conns = ${tick}; conn rate = ${tick % 3}/sec<br>
</td><td><b>Display option:</b><ul><li>Scope : <form method="GET">
<input value="" name="scope" size="8" maxlength="16" />
</form>
<li><a href="/stats;norefresh">Disable refresh</a></ul></td></tr></table>
${proxies.map((proxy) => proxyTable(proxy, tick)).join('\n')}
</body></html>
`;
}

function proxyTable({ name, servers }: Proxy, tick: number): string {
  return `<form method="post"><table class="tbl" width="100%">
<tr class="titre"><th class="pxname" width="10%"><a name="${name}"></a><a class=px href="#${name}">${name}</a></th></tr>
</table><table class="tbl" width="100%">
<tr class="titre"><th rowspan=2></th><th rowspan=2></th><th colspan=3>Queue</th></tr>
${[...servers, 'Backend'].map((server, index) => serverRow(name, server, index, tick)).join('\n')}
</table>
Choose the action to perform on the checked servers :
<select name=action><option value="">Please select</option><option value="drain">Set state to DRAIN</option></select>
<input type="hidden" name="b" value="#${servers.length}"><input type="submit" value="Apply">
</form>`;
}

function serverRow(proxy: string, server: string, index: number, tick: number): string {
  const box = server === 'Backend' ? '' : `<input type="checkbox" name="s" value="${server}">`;
  // Figures of one server are those of the next one a moment later: they must not be taken for it.
  const figures = Array.from({ length: FIGURES }, (_, column) => {
    const value = column % 4 ? tick * 100 - index * 100 + column : 0;
    const hint = `<div class=tips><table class=det><tr><th>Total:</th><td>${value}</td></tr></table></div>`;
    return column % 5 ? `<td>${value}</td>` : `<td><u>${value}${hint}</u></td>`;
  });
  return `<tr class="active_up"><td>${box}</td><td class=ac><a name="${proxy}/${server}"></a><a class=lfsb href="#${proxy}/${server}">${server}</a></td>${figures.join('')}<td class=ac>${tick}s UP</td></tr>`;
}
