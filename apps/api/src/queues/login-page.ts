/** The sign-in form of the queue inspector. It shows nothing of the request. */
export function loginPage(refusal?: string): string {
  const notice = refusal ? `<p role="alert">${refusal}</p>` : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Posthorn queues: sign in</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center; min-height: 100vh;
  margin: 0; background: #f4f5f7; color: #1d2330; }
form { background: #fff; padding: 2rem; border-radius: 8px; width: 20rem;
  box-shadow: 0 1px 4px rgb(0 0 0 / 15%); }
h1 { font-size: 1.2rem; margin: 0 0 1rem; }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input, button { padding: .5rem; margin-top: .25rem; border: 1px solid #a5adba; border-radius: 4px; }
button { margin-top: 1rem; background: #1b4ea3; border-color: #1b4ea3; color: #fff; cursor: pointer; }
[role=alert] { color: #a3201b; margin: 0 0 1rem; }
</style>
</head>
<body>
<form method="post" action="/queues/login">
<h1>Queue inspector</h1>
${notice}
<label>API key with the role admin
<input type="password" name="key" autocomplete="current-password" required autofocus></label>
<button>Sign in</button>
</form>
</body>
</html>
`;
}

export const LOGIN_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
